import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventHub, type LiveReader } from '../../api/events/event-hub.ts';
import { createEventStream } from '../../api/events/event-stream.ts';
import { revokeApiKey } from '../../db/api-keys.ts';
import { insertCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import { until } from '../../dev/until.ts';
import { followEvents } from './event-client.ts';
import { type EventsApi, type EventsWorld, openEventsWorld } from './events-world.ts';

/** More than the operating system keeps for a connection that nobody reads. */
const LINES = 6_000;
const LINE_BYTES = 3_000;

let world: EventsWorld;
let api: EventsApi;
beforeAll(async () => {
  world = await openEventsWorld();
  api = await world.openApi();
});
afterAll(() => world.close());

const listener = () => ({ accountId: world.mine.accountId, campaignId: null, keyId: world.mine.keyId });
const silent = (): LiveReader => ({
  ...listener(),
  onEvent: () => undefined,
  onProgress: () => undefined,
  onBeat: () => undefined,
  end: () => undefined,
});

const WAITING_FOR_KEYS = `select 1 from pg_locks where not granted and relation = 'api_keys'::regclass
  and database = (select oid from pg_database where datname = current_database())`;

/** Appends long lines to my account's log, all at once. */
const burst = (name: string): Promise<unknown> =>
  world.owner.query(
    `insert into log (account_id, subject_kind, subject_id, what, who, via, detail)
     select $1, 'account', $1, $4 || n, 'system', 'system', jsonb_build_object('filler', repeat('x', $3))
     from generate_series(1, $2::int) n`,
    [world.mine.accountId, LINES, LINE_BYTES, name],
  );

test('a reader that stops reading holds nobody up, and is told the rest in order when it reads again', async () => {
  const stalled = await world.follow(api);
  const brisk = await world.follow(api);
  for (const reader of [stalled, brisk]) await reader.awaits((event) => event.kind === 'ready');
  await world.log('before');
  await stalled.awaits((event) => event.data['what'] === 'before');
  stalled.stall();
  await burst('line ');
  await brisk.awaits((event) => event.data['what'] === `line ${LINES}`);
  expect(brisk.numbered()).toHaveLength(LINES + 1);
  expect(stalled.numbered()).toHaveLength(1);
  stalled.resume();
  await stalled.awaits((event) => event.data['what'] === `line ${LINES}`);
  expect(stalled.numbered().map((event) => event.id)).toEqual(brisk.numbered().map((event) => event.id));
});

test('a reader that takes nothing is cut off, after a bounded memory, and gone from the hub', async () => {
  const hub = createEventHub(world.db, () => undefined);
  let cuts = 0;
  const stream = createEventStream(
    {
      db: world.db,
      hub,
      cut: () => {
        cuts += 1;
      },
      stalledMs: 50,
    },
    { ...listener(), lastEventId: null, follow: true },
  );
  await until(
    () => Promise.resolve(hub.size()),
    (size) => size === 1,
  );
  let bufferedMax = 0;
  const watch = setInterval(() => {
    bufferedMax = Math.max(bufferedMax, stream.readableLength);
  }, 1);
  await burst('unread ');
  await until(
    () => Promise.resolve(cuts),
    (count) => count > 0,
  );
  clearInterval(watch);
  expect(bufferedMax).toBeGreaterThan(0);
  expect(bufferedMax).toBeLessThan(2 * 262_144 + 500 * 2 * LINE_BYTES);
  await until(
    () => Promise.resolve(hub.size()),
    (size) => size === 0,
  );
  await hub.close();
});

test('a stream is told nothing that came after its key was revoked, and ends', async () => {
  const { key, keyId } = await world.addKey();
  const revoked = await followEvents(api.url, key, '/v1/events');
  const other = await world.follow(api);
  for (const reader of [revoked, other]) await reader.awaits((event) => event.kind === 'ready');
  await world.log('before it was revoked');
  await revoked.awaits((event) => event.data['what'] === 'before it was revoked');
  await withAccount(world.db, world.mine.accountId, (trx) => revokeApiKey(trx, keyId));
  await world.log('after it was revoked');
  await other.awaits((event) => event.data['what'] === 'after it was revoked');
  await revoked.ended;
  expect(revoked.numbered().at(-1)).toMatchObject({ data: { what: 'before it was revoked' } });
});

test('what a reader missed is not told to a key that was revoked meanwhile', async () => {
  const hub = createEventHub(world.db, () => undefined, 3_600_000);
  const { keyId } = await world.addKey();
  await world.log('missed');
  await withAccount(world.db, world.mine.accountId, (trx) => revokeApiKey(trx, keyId));
  const stream = createEventStream(
    { db: world.db, hub, cut: () => undefined },
    { ...listener(), keyId, lastEventId: 0, follow: true },
  );
  const told: Buffer[] = [];
  for await (const frame of stream) told.push(frame as Buffer);
  expect(Buffer.concat(told).toString()).toContain('event: ready');
  expect(Buffer.concat(told).toString()).not.toContain('missed');
  await hub.close();
});

test('a stream ends when its key is revoked, and only then', async () => {
  const hub = createEventHub(world.db, () => undefined, 20);
  const { keyId } = await world.addKey();
  const seen = { beats: 0, ended: 0 };
  await hub.add({
    ...silent(),
    keyId,
    onBeat: () => {
      seen.beats += 1;
    },
    end: () => {
      seen.ended += 1;
    },
  });
  await until(
    () => Promise.resolve(seen.beats),
    (beats) => beats > 2,
  );
  expect(seen.ended).toBe(0);
  await withAccount(world.db, world.mine.accountId, (trx) => revokeApiKey(trx, keyId));
  await until(
    () => Promise.resolve(seen.ended),
    (ended) => ended > 0,
  );
  await hub.close();
});

test('a reader who comes while keys are asked for is not taken for one whose key was revoked', async () => {
  const hub = createEventHub(world.db, () => undefined, 50);
  const [first, second] = [await world.addKey(), await world.addKey()];
  await hub.add({ ...silent(), keyId: first.keyId });
  await world.owner.query('begin; lock table api_keys in access exclusive mode');
  await until(
    () => world.owner.query(WAITING_FOR_KEYS),
    ({ rowCount }) => rowCount !== 0,
  );
  const seen: string[] = [];
  const added = hub.add({
    ...silent(),
    keyId: second.keyId,
    onBeat: () => seen.push('beat'),
    end: () => seen.push('end'),
  });
  await world.owner.query('commit');
  await added;
  await until(
    () => Promise.resolve(seen),
    (heard) => heard.length > 0,
  );
  expect(seen[0]).toBe('beat');
  await hub.close();
});

test('progress that could not be told because keys could not be asked for is told once they can', async () => {
  const { accountId, personId } = world.mine;
  const campaignId = await withAccount(world.db, accountId, (trx) =>
    insertCampaign(trx, { accountId, createdBy: personId, name: 'Told late' }),
  );
  const seen = { failures: 0, progress: 0 };
  const hub = createEventHub(world.db, () => {
    seen.failures += 1;
  });
  await hub.add({
    ...silent(),
    campaignId,
    onProgress: () => {
      seen.progress += 1;
    },
  });
  await world.owner.query('alter function readers_in_force(text[], text[]) rename to readers_in_force_away');
  await world.owner.query(
    `with m as (insert into messages (id, account_id, campaign_id, position) values ($1, $2, $3, 1) returning key)
     insert into rollup_deltas (account_id, message_key, counter, delta) select $2, key, 'accepted', 10 from m`,
    [`msg_${campaignId}`, accountId, campaignId],
  );
  await until(
    () => Promise.resolve(seen.failures),
    (count) => count > 0,
  );
  expect(seen.progress).toBe(0);
  await world.owner.query('alter function readers_in_force_away(text[], text[]) rename to readers_in_force');
  await until(
    () => Promise.resolve(seen.progress),
    (count) => count > 0,
  );
  await hub.close();
});

test('a hub that could not ask the database serves whoever waits once it can', async () => {
  let failures = 0;
  await world.owner.query('alter function number_events(integer) rename to number_events_away');
  const hub = createEventHub(world.db, () => {
    failures += 1;
  });
  const added = hub.add(silent());
  await until(
    () => Promise.resolve(failures),
    (count) => count > 1,
  );
  await world.owner.query('alter function number_events_away(integer) rename to number_events');
  await added;
  expect(hub.size()).toBe(1);
  await hub.close();
});
