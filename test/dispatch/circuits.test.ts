import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLeftAlone, noteFailures, noteTaken } from '../../db/circuits.ts';
import { CIRCUIT_OPEN_MS_MAX, FAILURES_MIN, PROBE_DELAY_MS } from '../../domain/dispatch/circuit.ts';
import type { LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld } from './ledger-world.ts';
import { leasedPeople } from './only-lease.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const scopesOf = ({ account }: FrozenCampaign): string[] => [account.carrierAccountId, account.senderId];
const fail = (campaign: FrozenCampaign, failures = 1) => noteFailures(world.db, scopesOf(campaign), failures);
/** Lets machine time pass for the circuits of a campaign. */
const pass = (campaign: FrozenCampaign, ms: number) =>
  sql`update circuits set opened_at = opened_at - ${ms} * interval '1 millisecond',
        probe_after = probe_after - ${ms} * interval '1 millisecond',
        probing_until = probing_until - ${ms} * interval '1 millisecond'
      where scope_id = any(${scopesOf(campaign)}::text[])`.execute(world.db);
const widthOf = (answer: LeaseAnswer): string | number =>
  answer.kind === 'leased' ? leasedPeople(answer).length : answer.kind;
const opened = async (recipients = 10): Promise<FrozenCampaign> => {
  const campaign = await world.freeze(recipients);
  await fail(campaign, FAILURES_MIN);
  return campaign;
};

test('few failures change nothing; with the next one nobody is leased until a probe is due', async () => {
  const campaign = await world.freeze(10);
  expect(await fail(campaign, FAILURES_MIN - 1)).toBe(false);
  expect(widthOf(await campaign.openLeases())).toBe(2);
  expect(await fail(campaign)).toBe(true);
  const answer = await campaign.openLeases();
  if (answer.kind !== 'wait') throw new Error(`Expected to wait, got ${answer.kind}.`);
  expect(answer.delayMs).toBeLessThanOrEqual(PROBE_DELAY_MS);
  expect(answer.delayMs).toBeGreaterThan(0);
});

test('one text at a time probes, and the first that is taken closes the circuit for all', async () => {
  const campaign = await opened();
  await pass(campaign, PROBE_DELAY_MS);
  const answers = await Promise.all([campaign.openLeases(), campaign.openLeases(), campaign.openLeases()]);
  expect(answers.filter((answer) => widthOf(answer) === 'wait')).toHaveLength(2);
  expect(
    answers.filter((answer) => answer.kind === 'leased' && answer.leases.every((lease) => lease.isProbe)),
  ).toHaveLength(1);
  expect(answers.map(widthOf)).toContain(1);
  await noteTaken(world.db, scopesOf(campaign));
  const next = await campaign.openLeases();
  expect(next).toMatchObject({ kind: 'leased', leases: [{ isProbe: false }] });
  expect(widthOf(next)).toBe(2);
});

test('a probe that fails doubles the wait; failures of what was under way before do not', async () => {
  const campaign = await opened();
  await fail(campaign, 20);
  await pass(campaign, PROBE_DELAY_MS);
  expect(widthOf(await campaign.openLeases())).toBe(1);
  await fail(campaign);
  await fail(campaign, 3);
  await pass(campaign, PROBE_DELAY_MS);
  expect(widthOf(await campaign.openLeases())).toBe('wait');
  await pass(campaign, PROBE_DELAY_MS);
  expect(widthOf(await campaign.openLeases())).toBe(1);
});

test('a probe whose worker has died makes room for another one', async () => {
  const campaign = await opened();
  await pass(campaign, PROBE_DELAY_MS);
  expect(widthOf(await campaign.openLeases())).toBe(1);
  expect(widthOf(await campaign.openLeases())).toBe('wait');
  await pass(campaign, 60_000);
  expect(widthOf(await campaign.openLeases())).toBe(1);
});

test('after a long while campaigns are suspended, and can be resumed as soon as a probe may be tried', async () => {
  const campaign = await opened();
  const isRefused = () => campaign.inside((trx) => isLeftAlone(trx, campaign.campaignId));
  await pass(campaign, CIRCUIT_OPEN_MS_MAX);
  expect(widthOf(await campaign.openLeases())).toBe(1);
  await fail(campaign);
  expect(await campaign.openLeases()).toEqual({ kind: 'suspend', cause: 'carrier_down' });
  expect(await isRefused()).toBe(true);
  await pass(campaign, 2 * PROBE_DELAY_MS);
  expect(await isRefused()).toBe(false);
  expect(widthOf(await campaign.openLeases())).toBe(1);
});

test('a sender of its own is left alone while others of its carrier account go on', async () => {
  const campaign = await world.freeze(10);
  const { carrierAccountId, senderId } = campaign.account;
  for (let request = 0; request < FAILURES_MIN; request += 1) {
    await fail(campaign);
    await noteTaken(world.db, [carrierAccountId]);
  }
  expect(widthOf(await campaign.openLeases())).toBe('wait');
  const open = await sql<{ id: string }>`
    select scope_id as id from circuits where opened_at is not null
      and scope_id in (${carrierAccountId}, ${senderId})`.execute(world.db);
  expect(open.rows.map((row) => row.id)).toEqual([senderId]);
});
