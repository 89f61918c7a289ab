import type {
  DispatchStore,
  LaneRef,
  LeaseAnswer,
  LeasedRecipient,
} from '../../domain/dispatch/dispatch-store.ts';
import { campaignOf, type MemoryLedger, messageOf, senderOf } from '../../domain/dispatch/memory-ledger.ts';
import type { MemorySender } from '../../domain/dispatch/memory-rows.ts';
import type { Mutant } from './mutant.ts';

type OpenLease = DispatchStore['openLeases'];

/** Surrounds the making of each lease with something. */
function aroundLease(
  name: string,
  harm: string,
  around: (ledger: MemoryLedger, open: () => Promise<LeaseAnswer>, lane: LaneRef) => Promise<LeaseAnswer>,
): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => {
        const store = protocol.store(ledger);
        const openLeases: OpenLease = (...asked) =>
          around(ledger, () => store.openLeases(...asked), asked[0]);
        return { ...store, openLeases };
      },
    }),
  };
}

/** What says from when on more may go out. */
interface Holder {
  nextFreeAt: number;
}

/** Keeps a figure apart for each of something that should share it. */
function keptApart(): (
  holder: Holder,
  key: string,
  open: () => Promise<LeaseAnswer>,
) => Promise<LeaseAnswer> {
  const kept = new WeakMap<Holder, Map<string, number>>();
  return (holder, key, open) => {
    const own = kept.get(holder) ?? new Map<string, number>();
    kept.set(holder, own);
    holder.nextFreeAt = own.get(key) ?? 0;
    const answer = open();
    own.set(key, holder.nextFreeAt);
    return answer;
  };
}

function senderOfLane(ledger: MemoryLedger, { messageId }: LaneRef): MemorySender {
  return senderOf(ledger, messageOf(ledger, messageId));
}

/** The same people, each with his share of all. */
function evenly(people: readonly LeasedRecipient[]): LeasedRecipient[] {
  const costMicroUsd = people.reduce((sum, person) => sum + person.costMicroUsd, 0) / people.length;
  return people.map((person) => ({ ...person, costMicroUsd: Math.floor(costMicroUsd) }));
}

/** Breaks what bounds money, pace and trouble. */
export const LIMIT_MUTANTS: readonly Mutant[] = [
  aroundLease(
    "lease beyond the campaign's budget",
    'More is spent on a campaign than its owner allows.',
    (ledger, open, { campaignId }) => {
      const campaign = campaignOf(ledger, campaignId);
      const { budgetMicroUsd } = campaign;
      campaign.budgetMicroUsd = null;
      const answer = open();
      campaign.budgetMicroUsd = budgetMicroUsd;
      return answer;
    },
  ),
  {
    name: 'give money back to the account only',
    harm: "A campaign's budget is used up by texts that were never taken.",
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => {
        const store = protocol.store(ledger);
        return {
          ...store,
          record: (lease, results, retryAt) => {
            const { messageId = '' } = ledger.leases.get(lease.id) ?? {};
            const campaign = campaignOf(ledger, messageOf(ledger, messageId).campaignId);
            const { spentMicroUsd } = campaign;
            const recorded = store.record(lease, results, retryAt);
            campaign.spentMicroUsd = spentMicroUsd;
            return recorded;
          },
        };
      },
    }),
  },
  {
    name: 'share out what a lease claims equally',
    harm: 'Who is reported before he is recorded is given back more than he cost, and the budget is passed.',
    mutate: (protocol) => ({
      ...protocol,
      applyReport: (ledger, report) => {
        const lease = ledger.leases.get(report.leaseId);
        if (lease === undefined) return protocol.applyReport(ledger, report);
        ledger.leases.set(lease.id, { ...lease, people: evenly(lease.people) });
        const verdict = protocol.applyReport(ledger, report);
        ledger.leases.set(lease.id, lease);
        return verdict;
      },
    }),
  },
  aroundLease(
    'keep a pace for each campaign of a sender',
    'Together they send faster than the sender may.',
    (() => {
      const apart = keptApart();
      return (ledger: MemoryLedger, open: () => Promise<LeaseAnswer>, lane: LaneRef) =>
        apart(senderOfLane(ledger, lane), lane.campaignId, open);
    })(),
  ),
  aroundLease(
    'keep a quota for each sender',
    'Together they send faster than what they share allows.',
    (() => {
      const apart = keptApart();
      return (ledger: MemoryLedger, open: () => Promise<LeaseAnswer>, lane: LaneRef) => {
        const [quota] = ledger.quotas.values();
        return quota === undefined ? open() : apart(quota, senderOfLane(ledger, lane).id, open);
      };
    })(),
  ),
  aroundLease(
    'forget what a day has used of its cap',
    'More is sent in a day than the networks allow.',
    (ledger, open) => {
      const before = [...ledger.quotas.values()].map(({ use }) => use.dayHundredths);
      const answer = open();
      [...ledger.quotas.values()].forEach((one, index) => {
        one.use = { ...one.use, dayHundredths: before[index] ?? 0 };
      });
      return answer;
    },
  ),
  {
    name: 'slow down nobody else after a 429',
    harm: 'All other lanes go on against a carrier that has asked for a pause.',
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => ({ ...protocol.store(ledger), slowDown: () => Promise.resolve() }),
    }),
  },
  {
    name: 'post what is leased in a pause of the carrier',
    harm: 'Whatever all lanes have leased goes out against a carrier that has asked for a pause.',
    mutate: (protocol) => ({
      ...protocol,
      watch: (now) => ({ ...protocol.watch(now), carrierPaused: () => undefined }),
    }),
  },
  {
    name: 'let each worker have all that the carrier takes at once',
    harm: 'Together they have more requests under way than the carrier takes.',
    mutate: (protocol) => ({
      ...protocol,
      permits: (ledger, workerId) => ({
        ...protocol.permits(ledger, workerId),
        claim: () => Promise.resolve(ledger.carrier.atOnceMax || Number.POSITIVE_INFINITY),
      }),
    }),
  },
  {
    name: 'hand the permits of a lost worker on at once',
    harm: 'Its last requests are still under way at the carrier.',
    mutate: (protocol) => ({
      ...protocol,
      permits: (ledger, workerId) => {
        const permits = protocol.permits(ledger, workerId);
        return { ...permits, claim: (account, claim) => permits.claim(account, { ...claim, ttlMs: 2_500 }) };
      },
    }),
  },
  {
    name: 'post what is late at the pace that it had',
    harm: 'Others have been granted that time, and the carrier gets more requests than its limit allows.',
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => ({ ...protocol.store(ledger), grantAgain: () => Promise.resolve(0) }),
    }),
  },
  {
    name: 'renew permits without those in use',
    harm: 'Others are given what is under way.',
    mutate: (protocol) => ({
      ...protocol,
      permits: (ledger, workerId) => {
        const permits = protocol.permits(ledger, workerId);
        return { ...permits, claim: (account, claim) => permits.claim(account, { ...claim, inUse: 0 }) };
      },
    }),
  },
  {
    name: 'never leave a carrier alone',
    harm: 'Each request to a carrier in trouble makes somebody unknown for good.',
    mutate: (protocol) => ({ ...protocol, listen: (store) => store }),
  },
  aroundLease(
    'send as ever to a carrier that is to be left alone',
    'Each request to a carrier in trouble makes somebody unknown for good.',
    (ledger, open) => {
      const circuits = [...ledger.circuits];
      ledger.circuits.clear();
      const answer = open();
      for (const [scopeId, circuit] of circuits) ledger.circuits.set(scopeId, circuit);
      return answer;
    },
  ),
  aroundLease(
    'let every lane probe',
    'A carrier that comes back is met by all of them at once.',
    (ledger, open) => {
      const answer = open();
      for (const circuit of ledger.circuits.values()) circuit.probingUntil = null;
      return answer;
    },
  ),
];
