import { array, assert, asyncProperty, constant, type Arbitrary, integer, oneof, record } from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createWindow } from '../../carrier/sandbox/sliding-window.ts';
import { defaultSettings } from '../../carrier/sandbox/settings.ts';
import { pauseCarrierAccount } from '../../db/carrier-accounts.ts';
import { createPostgresPermits } from '../../db/carrier-permits.ts';
import { grantRequests } from '../../db/dispatch/grants.ts';
import { PERMIT_TTL_MS, REQUEST_MS_MAX } from '../../domain/dispatch/at-once.ts';
import { CATCH_UP_MS_MAX } from '../../domain/dispatch/await-turn.ts';
import { seedAccount } from '../support/seed.ts';
import { useTestDatabase } from '../support/use-test-database.ts';

const WINDOW_MS = 5_000;
const { requestsPer5s, requestsAtOnceMax: AT_ONCE_MAX } = defaultSettings();
const REQUESTS_MAX = requestsPer5s ?? 0;

const db = useTestDatabase();

/** A carrier account with Plivo's limits, and a clock of the database that a test moves on instead of waiting. */
async function openCarrierAccount() {
  const database = db();
  const { carrierAccountId: id } = await seedAccount(database);
  await database
    .updateTable('carrier_accounts')
    .set({
      requests_max: REQUESTS_MAX,
      requests_window_ms: WINDOW_MS,
      requests_at_once_max: AT_ONCE_MAX,
    })
    .where('id', '=', id)
    .execute();
  let passedMs = 0;
  return {
    id,
    /** Lets so much time pass: all that the database keeps of instants is as much longer ago. */
    pass: async (ms: number): Promise<void> => {
      passedMs += ms;
      await sql`
        update carrier_accounts set next_request_at = next_request_at - ${ms} * interval '1 millisecond',
          paused_until = paused_until - ${ms} * interval '1 millisecond' where id = ${id}`.execute(database);
      await sql`
        update carrier_permits set expires_at = expires_at - ${ms} * interval '1 millisecond'
        where carrier_account_id = ${id}`.execute(database);
    },
    /** What the requests of a lease are granted: the instants at which they are due, on that clock. */
    grant: (requests: number): Promise<{ readonly dueAt: number[]; readonly pausedUntil: number }> =>
      database.transaction().execute(async (trx) => {
        const granted = await grantRequests(trx, id, requests);
        // The row is locked by the grant, so it says to the microsecond what was granted.
        const { rows } = await sql<{ next: number; paused: number }>`
          select (extract(epoch from next_request_at) * 1000)::float8 as next,
            (extract(epoch from greatest(paused_until, 'epoch')) * 1000)::float8 as paused
          from carrier_accounts where id = ${id}`.execute(trx);
        const [row = { next: 0, paused: 0 }] = rows;
        const first = row.next - requests * granted.intervalMs + passedMs;
        return {
          dueAt: Array.from({ length: requests }, (_, index) => first + index * granted.intervalMs),
          pausedUntil: row.paused + passedMs,
        };
      }),
  };
}

/** What happens at one moment: so many lanes of any senders and workers ask for leases, or the carrier says 429. */
type Moment =
  | { readonly kind: 'leases'; readonly afterMs: number; readonly widths: readonly number[] }
  | { readonly kind: 'retry_after'; readonly afterMs: number; readonly delayMs: number };

const moment: Arbitrary<Moment> = oneof(
  {
    weight: 9,
    arbitrary: record({
      kind: constant('leases' as const),
      afterMs: oneof(integer({ min: 0, max: 50 }), integer({ min: 0, max: 4_000 })),
      // One request is a text, a bulk request or a question; others are personalised leases.
      widths: array(oneof(constant(1), integer({ min: 1, max: 128 })), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('retry_after' as const),
      afterMs: integer({ min: 0, max: 500 }),
      delayMs: integer({ min: 1, max: 8_000 }),
    }),
  },
);

describe('the requests of any number of workers and senders', () => {
  it('never pass what the carrier takes in five seconds, by its own window, however they arrive', async () => {
    await assert(
      asyncProperty(
        array(moment, { minLength: 1, maxLength: 12 }),
        array(integer({ min: 0, max: CATCH_UP_MS_MAX }), { minLength: 1, maxLength: 40 }),
        async (moments, lateMs) => {
          const carrier = await openCarrierAccount();
          const due: number[] = [];
          for (const one of moments) {
            await carrier.pass(one.afterMs);
            if (one.kind === 'retry_after') {
              await pauseCarrierAccount(db(), carrier.id, one.delayMs);
              continue;
            }
            for (const { dueAt, pausedUntil } of await Promise.all(one.widths.map(carrier.grant))) {
              expect(dueAt[0] ?? 0).toBeGreaterThanOrEqual(pausedUntil - 0.01);
              due.push(...dueAt);
            }
          }
          const sent = due
            .map((at, index) => at + (lateMs[index % lateMs.length] ?? 0))
            .toSorted((one, other) => one - other);
          let now = 0;
          const window = createWindow(WINDOW_MS, () => now);
          const refused = sent.filter((at) => {
            now = at;
            return window.take(REQUESTS_MAX) > 0;
          });
          expect(refused).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('waste no more than a tenth of the window where there is enough to send', async () => {
    const carrier = await openCarrierAccount();
    const granted = await Promise.all(Array.from({ length: 20 }, () => carrier.grant(128)));
    const due = granted.flatMap(({ dueAt }) => dueAt).toSorted((one, other) => one - other);
    const [first = 0] = due;
    const inWindow = due.filter((at) => at < first + WINDOW_MS).length;
    expect(inWindow).toBeGreaterThanOrEqual(0.9 * REQUESTS_MAX);
    expect(inWindow).toBeLessThanOrEqual(REQUESTS_MAX);
  });
});

/** What one of the workers does; `fill` renews and begins as much as it may. */
interface Deed {
  readonly kind: 'renew' | 'fill' | 'begin' | 'end' | 'die' | 'pass';
  readonly worker: number;
  readonly count: number;
}

const deed: Arbitrary<Deed> = record({
  kind: oneof(
    { weight: 3, arbitrary: constant('renew' as const) },
    { weight: 8, arbitrary: constant('fill' as const) },
    { weight: 3, arbitrary: constant('begin' as const) },
    { weight: 2, arbitrary: constant('end' as const) },
    { weight: 2, arbitrary: constant('pass' as const) },
    { weight: 1, arbitrary: constant('die' as const) },
  ),
  worker: integer({ min: 0, max: 3 }),
  count: oneof(integer({ min: 1, max: 20 }), integer({ min: 20, max: 120 })),
});

/** A worker as its permits see it; requests are instants at which they began. */
interface Worker {
  id: string;
  permits: number;
  validUntil: number;
  requests: number[];
}

describe('the requests that are under way at once', () => {
  it('are never more than the carrier takes, whoever comes, goes, dies or stands still', async () => {
    await assert(
      asyncProperty(array(deed, { minLength: 1, maxLength: 60 }), async (deeds) => {
        const carrier = await openCarrierAccount();
        let now = 0;
        let names = 0;
        const newWorker = (): Worker => {
          names += 1;
          return { id: `worker-${names}`, permits: 0, validUntil: -1, requests: [] };
        };
        const workers = Array.from({ length: 4 }, newWorker);
        const dead: Worker[] = [];
        const underWay = (): number =>
          [...workers, ...dead].reduce((sum, { requests }) => sum + requests.length, 0);
        for (const { kind, worker: index, count } of deeds) {
          const worker = workers[index] ?? newWorker();
          if (kind === 'renew' || kind === 'fill') {
            worker.permits = await createPostgresPermits(db(), worker.id).claim(carrier.id, {
              wanted: count,
              inUse: worker.requests.length,
              ttlMs: PERMIT_TTL_MS,
            });
            worker.validUntil = now + PERMIT_TTL_MS - REQUEST_MS_MAX;
          }
          if ((kind === 'begin' || kind === 'fill') && now < worker.validUntil) {
            const room = Math.max(0, worker.permits - worker.requests.length);
            worker.requests.push(...Array.from({ length: Math.min(count, room) }, () => now));
          } else if (kind === 'end') {
            worker.requests.splice(0, count);
          } else if (kind === 'die') {
            // Its requests are still at the carrier, and somebody new takes its place.
            dead.push(worker);
            workers[index] = newWorker();
          } else if (kind === 'pass') {
            now += count * 200;
            await carrier.pass(count * 200);
            for (const one of [...workers, ...dead]) {
              one.requests = one.requests.filter((began) => now - began < REQUEST_MS_MAX);
            }
          }
          expect(underWay()).toBeLessThanOrEqual(AT_ONCE_MAX);
        }
      }),
      { numRuns: 100 },
    );
  });
});
