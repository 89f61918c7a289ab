import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSendActivities } from '../../activities/test-send-activities.ts';
import { type Db, openDatabase, openPool } from '../../db/database.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { createSlots } from '../../domain/dispatch/slots.ts';
import { createSkippingClock, MORNING } from '../dispatch/lane-world.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { NUMBER, seedTest } from './test-send-world.ts';

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 2, role: 'carillon_app' }));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** Sends a test while the carrier keeps all room for so long, in machine time. */
async function sendAfter(roomMs: number, test: Awaited<ReturnType<typeof seedTest>>) {
  const machine = createSkippingClock();
  const slots = createSlots(1);
  const posted: string[] = [];
  let held = 0;
  const { sendTest } = createTestSendActivities({
    db,
    machine,
    slots,
    crash: noCrash,
    permission: () => 'open',
    allowVirtualTime: true,
    atOnce: {
      take: () => {
        machine.advance(roomMs);
        held += 1;
        return Promise.resolve(true);
      },
      giveBack: () => {
        held -= 1;
      },
    },
    post: ({ to }) => {
      posted.push(to);
      return Promise.resolve({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
    },
  });
  const { accountId, testId } = test;
  const input = { accountId, testId, at: MORNING, time: 'virtual' } as const;
  const outcome: unknown = await new MockActivityEnvironment().run(sendTest, input);
  expect(held, 'room that is kept').toBe(0);
  expect(await slots.take(1), 'slots that are free again').toBe(1);
  return { outcome, posted, sleptMs: machine.now() - roomMs };
}

describe('a test for which the carrier has no room for long', () => {
  it('is refused as too late more than 20 seconds after it was granted, and costs nothing', async () => {
    const test = await seedTest(db);
    expect(await sendAfter(20_001, test)).toMatchObject({ outcome: { state: 'refused' }, posted: [] });
    expect(await test.read()).toMatchObject({ state: 'refused', cause: 'too_late' });
    expect(await test.spent()).toBe(0);
  });

  it('still goes out until then', async () => {
    const test = await seedTest(db);
    expect(await sendAfter(20_000, test)).toMatchObject({ outcome: { state: 'accepted' }, posted: [NUMBER] });
    expect(await test.spent()).toBe(1_000);
  });

  it('is not late for having waited for the pace that it was granted', async () => {
    const test = await seedTest(db);
    const { senderId } = test;
    await test.inside(async (trx) => {
      await trx.updateTable('senders').set({ segments_per_second: 1 }).where('id', '=', senderId).execute();
      await trx
        .updateTable('sender_paces')
        .set({ next_free_at: sql<Date>`clock_timestamp() + interval '30 seconds'` })
        .where('sender_id', '=', senderId)
        .execute();
    });
    const sent = await sendAfter(19_999, test);
    expect(sent).toMatchObject({ outcome: { state: 'accepted' }, posted: [NUMBER] });
    expect(sent.sleptMs).toBeGreaterThan(20_000);
  });
});
