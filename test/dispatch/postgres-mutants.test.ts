import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { closedScopes } from '../../db/gates.ts';
import { holdCampaign } from '../../db/holds.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { openMutatedLedger, type SqlMutation } from './ledger-mutants.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  NOON,
  openLedgerWorld,
  setMessageStatus,
  resultsOf,
  statusReportOf,
} from './ledger-world.ts';
import { lockWaiters } from '../support/lock-waiters.ts';
import { leasedPeople } from './only-lease.ts';

/** A rule that lies in SQL: how it would be broken, and a scene in which that shows. */
interface Rule {
  readonly name: string;
  readonly mutation: SqlMutation;
  /** Whether the rule holds. */
  readonly scene: (world: LedgerWorld) => Promise<boolean>;
}

const storeOf = (world: LedgerWorld) =>
  createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
const laneOf = (campaign: FrozenCampaign, lane: number) => ({
  accountId: campaign.account.accountId,
  campaignId: campaign.campaignId,
  messageId: campaign.messageId,
  lane,
});
const hold = (campaign: FrozenCampaign): Promise<number> =>
  campaign.inside((trx) =>
    holdCampaign(trx, {
      accountId: campaign.account.accountId,
      campaignId: campaign.campaignId,
      kind: 'pause',
      cause: null,
      reason: 'Ordered.',
      actor: campaign.account.actor,
    }),
  );

/** Keeps a row locked while others run into it; `begin` says when the lock may go. */
async function whileLocked<Result>(
  world: LedgerWorld,
  { account }: FrozenCampaign,
  statement: string,
  begin: (waiting: (transactions: number) => Promise<unknown>) => Promise<() => Promise<Result>>,
): Promise<Result> {
  const owner = new Client({ connectionString: world.databaseUrl });
  await owner.connect();
  try {
    await owner.query('begin');
    await owner.query("select set_config('app.account', $1, true)", [account.accountId]);
    const { rowCount } = await owner.query(statement);
    if (rowCount !== 1) throw new Error(`${rowCount} rows are locked instead of one.`);
    const ended = await begin((transactions) => lockWaiters(owner, transactions));
    await owner.query('commit');
    return await ended();
  } finally {
    await owner.end();
  }
}

/** A campaign that has leased before: the first lease of all waits for more than the others. */
async function begun(world: LedgerWorld): Promise<FrozenCampaign> {
  const campaign = await world.freeze(6);
  await campaign.record(await campaign.lease(), 'accepted');
  return campaign;
}

const RULES: readonly Rule[] = [
  {
    name: 'update instead of insert',
    mutation: {
      pattern: /on conflict do nothing(\s+returning lease_id)/,
      replacement:
        'on conflict (month, message_key, recipient, attempt) do update set result = excluded.result$1',
    },
    scene: async (world) => {
      const campaign = await world.freeze(2);
      const lease = await campaign.lease();
      // The answer to the first write was lost.
      await campaign.record(lease, 'not_accepted');
      await campaign.record(lease, 'not_accepted');
      const again = [await campaign.openLeases(), await campaign.openLeases()].flatMap((answer) =>
        leasedPeople(answer).map((person) => person.recipient),
      );
      return again.length === 2;
    },
  },
  {
    name: 'skip the fence',
    mutation: { pattern: /and closed_at is null and \(/, replacement: 'and false and (' },
    scene: async (world) => {
      const campaign = await world.freeze(2);
      await campaign.lease();
      return (await storeOf(world).enterLane(laneOf(campaign, 0), NOON)).unknown === 2;
    },
  },
  {
    name: 'let a zombie lease',
    mutation: {
      pattern: /"fence" = "lanes"\."fence" \+ (\$\d+)/,
      replacement: '"fence" = "lanes"."fence" + 0 * $1',
    },
    scene: async (world) => {
      const campaign = await world.freeze(2);
      await storeOf(world).enterLane(laneOf(campaign, 0), NOON);
      return (await campaign.openLeases()).kind === 'fenced';
    },
  },
  {
    name: 'look at the gates without a lock',
    mutation: { pattern: /pg_advisory_xact_lock_shared\(([^)]*\))\)/, replacement: '$1 is null' },
    scene: async (world) => {
      const campaign = await begun(world);
      return whileLocked(
        world,
        campaign,
        `select from campaign_spends where campaign_id = '${campaign.campaignId}' for update`,
        async (waiting) => {
          const lease = campaign.openLeases();
          await waiting(1);
          // A hold has to wait for the lease that has found its gate open, and then knows of it.
          const named = hold(campaign);
          await Promise.race([named, waiting(2)]);
          return async () => {
            const answer = await lease;
            return answer.kind === 'leased' && leasedPeople(answer).length === (await named);
          };
        },
      );
    },
  },
  {
    name: 'check the gates outside the transaction',
    mutation: { pattern: /and holds = 0(?=\s*$)/, replacement: 'and holds >= 0' },
    scene: async (world) => {
      const campaign = await world.freeze(2);
      const scopes = [campaign.account.accountId, campaign.campaignId, campaign.messageId];
      const closed = await campaign.inside((trx) => closedScopes(trx, scopes));
      await hold(campaign);
      return closed.size === 0 && (await campaign.openLeases()).kind === 'held';
    },
  },
  {
    name: 'lease of a message that was given another time',
    mutation: { pattern: /and status = 'sending'(?=\))/, replacement: '' },
    scene: async (world) => {
      const campaign = await begun(world);
      await campaign.inside((trx) => setMessageStatus(trx, campaign.messageId, 'scheduled'));
      return (await campaign.openLeases()).kind === 'held';
    },
  },
  {
    name: "hand out a wave's range without locking it",
    mutation: { pattern: /(w\.next_ordinal < w\.size) for update/, replacement: '$1' },
    scene: async (world) => {
      const campaign = await begun(world);
      const store = storeOf(world);
      const { fence } = await store.enterLane(laneOf(campaign, 1), NOON);
      const answers = await whileLocked(
        world,
        campaign,
        `select from campaign_spends where campaign_id = '${campaign.campaignId}' for update`,
        async (waiting) => {
          const leases = [campaign.openLeases(), store.openLeases(laneOf(campaign, 1), fence, NOON, 2)];
          await waiting(2);
          // The cursor itself refuses whoever would move it to where it is.
          return () => Promise.allSettled(leases);
        },
      );
      const people = answers.flatMap((answer) =>
        answer.status === 'fulfilled' ? leasedPeople(answer.value).map((person) => person.recipient) : [],
      );
      return people.length === 4 && people.length === new Set(people).size;
    },
  },
  {
    name: "claim the account's money without locking it",
    mutation: {
      pattern: /(from "spend_months" where "account_id" = \$1 and "month" = \$2) for update/,
      replacement: '$1',
    },
    scene: async (world) => {
      const one = await world.freeze(2);
      const other = await world.freezeAgain(one);
      const { accountId } = one.account;
      const first = await one.lease();
      const costMicroUsd = first.recipients.reduce((sum, person) => sum + person.costMicroUsd, 0);
      await one.record(first, 'not_accepted');
      await one.inside((trx) =>
        trx
          .updateTable('accounts')
          .set({ spend_limit_micro_usd: costMicroUsd })
          .where('id', '=', accountId)
          .execute(),
      );
      const answers = await whileLocked(
        world,
        one,
        `select from spend_months where account_id = '${accountId}' for update`,
        async (waiting) => {
          const leases = [one.openLeases(), other.openLeases()];
          await waiting(2);
          return () => Promise.all(leases);
        },
      );
      return answers.filter((answer) => answer.kind === 'leased').length === 1;
    },
  },
  {
    name: 'let the last status win',
    mutation: {
      ofFunction: 'apply_status_reports',
      pattern: /('final', report\.status, report\.code[^;]*?)on conflict do nothing/,
      replacement:
        '$1on conflict (month, message_key, recipient, attempt, stage) do update set status = excluded.status',
    },
    scene: async (world) => {
      const campaign = await world.freeze(1);
      const lease = await campaign.lease();
      const deps = { db: world.db, crash: noCrash };
      await applyStatusReports(deps, [statusReportOf(campaign, lease, { status: 'delivered' })]);
      const verdicts = await applyStatusReports(deps, [
        statusReportOf(campaign, lease, { status: 'failed' }),
      ]);
      return verdicts[0] === 'repeated';
    },
  },
  {
    name: 'let the last of plain statuses win',
    mutation: {
      ofFunction: 'apply_plain_reports',
      pattern: /on conflict do nothing/,
      replacement:
        'on conflict (month, message_key, recipient, attempt, stage) do update set status = excluded.status',
    },
    scene: async (world) => {
      const campaign = await world.freeze(1);
      const lease = await campaign.lease();
      await campaign.record(lease, 'accepted');
      const deps = { db: world.db, crash: noCrash };
      await applyStatusReports(deps, [statusReportOf(campaign, lease, { status: 'delivered' })]);
      const verdicts = await applyStatusReports(deps, [
        statusReportOf(campaign, lease, { status: 'undelivered' }),
      ]);
      return verdicts[0] === 'repeated';
    },
  },
  {
    name: 'believe a plain report under another uuid',
    mutation: {
      ofFunction: 'apply_plain_reports',
      pattern: /and \(x\.carrier_uuid = r\.uuid or .*?<> r\.uuid\)\)/s,
      replacement: '',
    },
    scene: async (world) => {
      const campaign = await world.freeze(1);
      const lease = await campaign.lease();
      await campaign.record(lease, 'accepted');
      const verdicts = await applyStatusReports({ db: world.db, crash: noCrash }, [
        statusReportOf(campaign, lease, { status: 'delivered', uuid: 'uuid-of-somebody-else' }),
      ]);
      return verdicts[0] === 'mismatch';
    },
  },
  {
    name: 'bind nobody who was posted in bulk form',
    mutation: {
      ofFunction: 'apply_plain_reports',
      pattern: /and not exists \(\s+select from outcomes .*?<> r\.uuid\)/s,
      replacement: '',
    },
    scene: async (world) => {
      const campaign = await world.freeze(1);
      const lease = await campaign.lease();
      const inBulk = resultsOf(lease, 'accepted').map((result) => ({ ...result, carrierUuid: null }));
      await storeOf(world).record(lease, inBulk, NOON);
      const deps = { db: world.db, crash: noCrash };
      await applyStatusReports(deps, [statusReportOf(campaign, lease, { status: 'sent' })]);
      const verdicts = await applyStatusReports(deps, [
        statusReportOf(campaign, lease, { status: 'delivered', uuid: 'uuid-of-somebody-else' }),
      ]);
      return verdicts[0] === 'mismatch';
    },
  },
  {
    name: 'believe a plain report of another lease',
    mutation: {
      ofFunction: 'apply_plain_reports',
      pattern: /and x\.lease_id = l\.id/,
      replacement: '',
    },
    scene: async (world) => {
      const campaign = await world.freeze(4);
      const lease = await campaign.lease();
      const other = await campaign.lease();
      await campaign.record(other, 'accepted');
      const verdicts = await applyStatusReports({ db: world.db, crash: noCrash }, [
        statusReportOf(campaign, lease, { status: 'delivered' }, other.recipients[0]),
      ]);
      return verdicts[0] === 'mismatch';
    },
  },
  {
    name: 'believe a report about somebody whom its lease does not hold',
    mutation: {
      ofFunction: 'apply_status_reports',
      pattern:
        /and r\.recipient between first_of_cohort \+ lease\.ordinal_first and first_of_cohort \+ lease\.ordinal_last/,
      replacement: '',
    },
    scene: async (world) => {
      const campaign = await world.freeze(4);
      const lease = await campaign.lease();
      const other = await campaign.lease();
      const verdicts = await applyStatusReports({ db: world.db, crash: noCrash }, [
        statusReportOf(campaign, lease, { status: 'delivered' }, other.recipients[0]),
      ]);
      return verdicts[0] === 'mismatch';
    },
  },
];

describe('the rules of the ledger that lie in SQL', () => {
  let world: LedgerWorld;
  beforeAll(async () => {
    world = await openLedgerWorld();
  });
  afterAll(() => world.close());

  it.each(RULES)('hold where a mutant would $name', async ({ scene }) => {
    expect(await scene(world)).toBe(true);
  });

  it.each(RULES)('do not hold in a database that would $name', async ({ mutation, scene }) => {
    const mutated = await openMutatedLedger(mutation);
    try {
      expect(await scene(mutated)).toBe(false);
      expect(mutated.changed(), 'the mutation is in the path').toBeGreaterThan(0);
    } finally {
      await mutated.close();
    }
  });
});
