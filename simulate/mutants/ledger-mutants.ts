import type { DispatchStore } from '../../domain/dispatch/dispatch-store.ts';
import {
  campaignOf,
  entryOf,
  freezeMemoryAudience,
  gatesAreOpen,
  type MemoryLedger,
  messageOf,
  messagesOf,
  scopesOfMessage,
} from '../../domain/dispatch/memory-ledger.ts';
import type { Mutant } from './mutant.ts';

type StoreChange = (store: DispatchStore, ledger: MemoryLedger) => Partial<DispatchStore>;

/** Changes some of the ledger's transactions. */
function inLedger(name: string, harm: string, change: StoreChange): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => {
        const store = protocol.store(ledger);
        return { ...store, ...change(store, ledger) };
      },
    }),
  };
}

/** Puts whoever an open lease of the message holds without a result back to be handed out again. */
function handOutAgain(ledger: MemoryLedger, messageId: string): void {
  const message = messageOf(ledger, messageId);
  for (const lease of ledger.leases.values()) {
    if (!lease.isOpen || lease.messageId !== messageId) continue;
    lease.isOpen = false;
    const open = lease.people.filter(
      (person) => !entryOf(message, person.recipient).attempts.some((one) => one.attempt === person.attempt),
    );
    if (open.length === 0) continue;
    const members = open.map(({ recipient, attempt }) => ({ recipient, attempt }));
    message.waves.push({ number: message.waves.length, members, dueAt: null, next: 0, repeats: null });
  }
}

/** Leaves open what an older run left open. */
function withoutClosing<Result>(ledger: MemoryLedger, work: () => Result): Result {
  const open = [...ledger.leases.values()].filter((lease) => lease.isOpen);
  for (const lease of open) lease.isOpen = false;
  const result = work();
  for (const lease of open) lease.isOpen = true;
  return result;
}

/** Nobody remembers when the newest orders of the message were given. */
function forgetOrders(ledger: MemoryLedger, messageId: string): void {
  const message = messageOf(ledger, messageId);
  message.plannedAt = null;
  message.askedAt = null;
}

/** Does something to the ledger before each plan of a message. */
function beforePlan(
  name: string,
  harm: string,
  spoil: (ledger: MemoryLedger, messageId: string) => void,
): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      plan: (ledger, messageId, at) => {
        spoil(ledger, messageId);
        return protocol.plan(ledger, messageId, at);
      },
    }),
  };
}

/** Breaks the rules of the ledger's own transactions. */
export const LEDGER_MUTANTS: readonly Mutant[] = [
  beforePlan(
    'retry a leased recipient',
    'Whoever a dead worker had leased is leased again, though he may have been texted.',
    handOutAgain,
  ),
  {
    name: 'skip the fence',
    harm: 'Whoever a dead worker left open stays open for ever.',
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => {
        const store = protocol.store(ledger);
        return {
          ...store,
          enterLane: (lane, askedAt) => withoutClosing(ledger, () => store.enterLane(lane, askedAt)),
        };
      },
      plan: (ledger, messageId, at) => withoutClosing(ledger, () => protocol.plan(ledger, messageId, at)),
    }),
  },
  beforePlan(
    'plan for an order that was overtaken',
    'A worker that stood still takes whom the lanes of a later plan hold for lost.',
    forgetOrders,
  ),
  inLedger(
    'enter a lane for an order that was overtaken',
    'A run that begins late takes the lane from the one that was ordered after it.',
    (store, ledger) => ({
      enterLane: (lane, askedAt) => {
        forgetOrders(ledger, lane.messageId);
        return store.enterLane(lane, askedAt);
      },
    }),
  ),
  inLedger('update instead of insert', 'A result that is written twice counts twice.', (store, ledger) => ({
    record: (lease, results, retryAt) => {
      const message = messageOf(ledger, ledger.leases.get(lease.id)?.messageId ?? '');
      for (const { recipient, attempt } of results) {
        const { attempts } = entryOf(message, recipient);
        const known = attempts.findIndex((one) => one.attempt === attempt);
        if (known >= 0) attempts.splice(known, 1);
      }
      return store.record(lease, results, retryAt);
    },
  })),
  inLedger('hand out without moving the cursor', 'Two lanes lease the same people.', (store, ledger) => ({
    openLeases: async (lane, fence, at, slots) => {
      const message = messageOf(ledger, lane.messageId);
      const before = message.waves.map((wave) => wave.next);
      const answer = await store.openLeases(lane, fence, at, slots);
      const isLost = answer.kind === 'leased' && ledger.leases.size % 7 === 0;
      if (isLost) message.waves.forEach((wave, index) => (wave.next = before[index] ?? wave.next));
      return answer;
    },
  })),
  inLedger('lose who was certainly not accepted', 'A 429 makes people forgotten.', (store, ledger) => ({
    record: async (lease, results, retryAt) => {
      const message = messageOf(ledger, ledger.leases.get(lease.id)?.messageId ?? '');
      const before = message.waves.map((wave) => wave.members.length);
      await store.record(lease, results, retryAt);
      message.waves.forEach((wave, index) => {
        wave.members.length = before[index] ?? 0;
      });
    },
  })),
  inLedger(
    'check suppressions when frozen only',
    'An opt-out after the freeze is ignored.',
    (store, ledger) => ({
      openLeases: async (lane, fence, at, slots) => {
        const suppressed = [...ledger.suppressed];
        ledger.suppressed.clear();
        const answer = await store.openLeases(lane, fence, at, slots);
        for (const [number, kind] of suppressed) ledger.suppressed.set(number, kind);
        return answer;
      },
    }),
  ),
  inLedger('give back what an unknown cost', 'More is spent than the limit allows.', (store, ledger) => ({
    record: async (lease, results, retryAt) => {
      await store.record(lease, results, retryAt);
      for (const one of results) if (one.result === 'unknown') ledger.spentMicroUsd -= one.costMicroUsd;
    },
  })),
  inLedger(
    'claim no money back',
    'The limit is used up by texts that were never taken.',
    (store, ledger) => ({
      record: async (lease, results, retryAt) => {
        const before = ledger.spentMicroUsd;
        await store.record(lease, results, retryAt);
        ledger.spentMicroUsd = before;
      },
    }),
  ),
  inLedger('lease beyond the limit', 'More is spent than the limit allows.', (store, ledger) => ({
    openLeases: async (...asked) => {
      const limit = ledger.spendLimitMicroUsd;
      ledger.spendLimitMicroUsd = null;
      const answer = await store.openLeases(...asked);
      ledger.spendLimitMicroUsd = limit;
      return answer;
    },
  })),
  inLedger('lease more than there are free slots', 'A kill leaves more people unknown.', (store) => ({
    openLeases: (lane, fence, at, slots) => store.openLeases(lane, fence, at, slots * 4),
  })),
  {
    name: 'freeze the audience again at restart',
    harm: 'Everybody who was texted before the stop is texted again.',
    mutate: (protocol) => ({
      ...protocol,
      restart: (ledger, campaignId, schedule) => {
        const isOver = messagesOf(ledger, campaignId).some((one) => ['sent', 'expired'].includes(one.status));
        if (!isOver) campaignOf(ledger, campaignId).everLeased = false;
        freezeMemoryAudience(ledger, campaignId);
        protocol.restart(ledger, campaignId, schedule);
      },
    }),
  },
  {
    name: 'check the gate outside the transaction',
    harm: 'A lease slips in between the look at the gate and a hold that is placed meanwhile.',
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => {
        const store = protocol.store(ledger);
        return {
          ...store,
          openLeases: (...asked) =>
            withGatesOpen(ledger, asked[0].messageId, () => store.openLeases(...asked)),
        };
      },
      remoteStore: (remote, ledger) => ({
        ...remote,
        openLeases: (...asked) =>
          gatesAreOpen(ledger, messageOf(ledger, asked[0].messageId))
            ? remote.openLeases(...asked)
            : Promise.resolve({ kind: 'held' }),
      }),
    }),
  },
  inLedger(
    'lease of a message that is not being sent',
    'A lane of before a stop texts people after a restart that was to begin later.',
    (store, ledger) => ({
      openLeases: (...asked) => {
        const message = messageOf(ledger, asked[0].messageId);
        const { status } = message;
        message.status = 'sending';
        const answer = store.openLeases(...asked);
        message.status = status;
        return answer;
      },
    }),
  ),
  {
    name: 'resume what was stopped later',
    harm: 'A pause that was ordered after a resume is lifted by it.',
    mutate: (protocol) => ({ ...protocol, staysHeld: () => false }),
  },
  {
    name: 'name nobody when a hold is placed',
    harm: 'Texts that are on their way go out after an answer that has named none.',
    mutate: (protocol) => ({ ...protocol, inFlight: () => 0 }),
  },
  {
    name: 'leave out of a hold whom a lost lane may still text',
    harm: 'A lane that was given up and lives texts people after an answer that has not named them.',
    mutate: (protocol) => ({ ...protocol, inFlight: openOf }),
  },
];

/** How many recipients of open leases have no result. */
function openOf(ledger: MemoryLedger, scope: string): number {
  let people = 0;
  for (const lease of ledger.leases.values()) {
    const message = messageOf(ledger, lease.messageId);
    if (!lease.isOpen || !scopesOfMessage(ledger, message).includes(scope)) continue;
    people += lease.people.filter(({ recipient, attempt }) => {
      const known = message.entries.get(recipient)?.attempts ?? [];
      return known.every((one) => one.attempt !== attempt);
    }).length;
  }
  return people;
}

/** Runs a transaction as if no gate over the message were closed. */
function withGatesOpen<Result>(ledger: MemoryLedger, messageId: string, work: () => Result): Result {
  const scopes = scopesOfMessage(ledger, messageOf(ledger, messageId));
  const before = scopes.map((scope) => ledger.gates.get(scope) ?? 0);
  for (const scope of scopes) ledger.gates.set(scope, 0);
  const result = work();
  scopes.forEach((scope, index) => ledger.gates.set(scope, before[index] ?? 0));
  return result;
}
