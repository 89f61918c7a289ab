import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { raiseAlert, resolveAlerts } from '../../db/alerts.ts';
import { insertCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import { forgetEvents, numberEvents } from '../../db/events.ts';
import { appendLog } from '../../db/log.ts';
import { followEvents, type SseEvent } from './event-client.ts';
import { type EventsApi, type EventsWorld, openEventsWorld } from './events-world.ts';

let world: EventsWorld;
let api: EventsApi;
beforeAll(async () => {
  world = await openEventsWorld();
  api = await world.openApi();
});
afterAll(() => world.close());

const says = (what: string) => (event: SseEvent) => event.data['what'] === what;
const whats = (events: readonly SseEvent[]): unknown[] => events.map((event) => event.data['what']);
const makeCampaign = (name: string): Promise<string> =>
  withAccount(world.db, world.mine.accountId, (trx) =>
    insertCampaign(trx, { accountId: world.mine.accountId, createdBy: world.mine.personId, name }),
  );
const isAscending = (events: readonly SseEvent[]): boolean =>
  events.every((event, index) => index === 0 || (event.id ?? 0) === (events[index - 1]?.id ?? 0) + 1);

describe('a stream of events', () => {
  test('opens with the id to go on from, and tells status, log and alerts as they are committed', async () => {
    const reader = await world.follow(api);
    expect(reader.status).toBe(200);
    const ready = await reader.awaits((event) => event.kind === 'ready');
    const campaignId = await makeCampaign('Told');
    const { accountId, actor } = world.mine;
    await withAccount(world.db, accountId, async (trx) => {
      await trx.updateTable('campaigns').set({ status: 'processing' }).where('id', '=', campaignId).execute();
      await appendLog(trx, { accountId, campaignId, what: 'launch', from: 'draft', to: 'processing', actor });
      await raiseAlert(trx, {
        accountId,
        kind: 'suspension',
        severity: 'critical',
        subject: { kind: 'campaign', id: campaignId },
        campaignId,
        cause: 'credit',
        reason: 'There is no credit.',
        remedy: 'Top it up.',
      });
    });
    await reader.awaits((event) => event.kind === 'alert');
    await withAccount(world.db, accountId, (trx) =>
      resolveAlerts(trx, { accountId, kind: 'suspension', subjectId: campaignId }),
    );
    await reader.awaits((event) => event.data['state'] === 'resolved');
    expect(reader.numbered()).toMatchObject([
      { id: (ready.id ?? 0) + 1, kind: 'status', data: { campaignId, from: null, to: 'draft' } },
      { kind: 'status', data: { campaignId, from: 'draft', to: 'processing', deleted: false } },
      {
        kind: 'log',
        data: {
          campaignId,
          what: 'launch',
          by: { id: actor.id, kind: 'person', name: 'Owner' },
          to: 'processing',
        },
      },
      { kind: 'alert', data: { campaignId, cause: 'credit', state: 'open', count: 1 } },
      { kind: 'alert', data: { campaignId, cause: 'credit', state: 'resolved' } },
    ]);
    expect(isAscending(reader.numbered())).toBe(true);
  });

  test('tells a line of the log as the log itself does, also to whoever comes back, and names nobody of another account', async () => {
    const { accountId, key, keyId } = world.mine;
    const reader = await world.follow(api);
    const { id: since } = await reader.awaits((event) => event.kind === 'ready');
    const stranger = world.theirs.personId;
    await withAccount(world.db, accountId, async (trx) => {
      const of = (id: string) => ({ id, via: 'api', keyId }) as const;
      await appendLog(trx, { accountId, what: 'by_key', actor: of(keyId), detail: { count: 1 } });
      await appendLog(trx, { accountId, what: 'by_stranger', actor: of(stranger) });
      await appendLog(trx, { accountId, what: 'by_system', actor: { id: 'system', via: 'system' } });
    });
    await reader.awaits(says('by_system'));
    const late = await world.follow(api, '/v1/events?follow=false', since);
    await late.ended;
    const response = await fetch(`${api.url}/v1/log?what=by_key&what=by_stranger&what=by_system&order=asc`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { items } = (await response.json()) as { items: readonly Record<string, unknown>[] };
    expect(items).toMatchObject([
      { by: { id: keyId, kind: 'key', name: 'Test' }, key: { id: keyId, name: 'Test' } },
      { by: { id: stranger, kind: 'person', name: null } },
      { by: { id: 'system', kind: 'system', name: null }, key: null },
    ]);
    for (const told of [reader, late]) expect(told.numbered().map(({ data }) => data)).toEqual(items);
  });

  test('gives ids in the order of commits, whichever transaction wrote first', async () => {
    const reader = await world.follow(api);
    await reader.awaits((event) => event.kind === 'ready');
    await withAccount(world.db, world.mine.accountId, async (trx) => {
      await world.log('written first', trx);
      await world.log('committed first');
      await reader.awaits(says('committed first'));
    });
    const late = await reader.awaits(says('written first'));
    const early = await reader.awaits(says('committed first'));
    expect(late.id).toBe((early.id ?? 0) + 1);
    expect(whats(reader.numbered())).toEqual(['committed first', 'written first']);
  });

  test('that is reopened in the middle of a burst loses nothing and repeats nothing', async () => {
    const first = await world.follow(api);
    const ready = await first.awaits((event) => event.kind === 'ready');
    const lines = 400;
    const burst = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let index = 0; index < lines / 8; index += 1) await world.log(`burst ${writer} ${index}`);
      }),
    );
    const told: SseEvent[] = [];
    let lastId = ready.id ?? 0;
    first.close();
    while (told.length < lines) {
      const reader = await world.follow(api, '/v1/events', lastId);
      const enough = Math.min(lines, told.length + 37);
      await reader.awaits(() => told.length + reader.numbered().length >= enough);
      reader.close();
      told.push(...reader.numbered());
      lastId = reader.lastId() ?? lastId;
    }
    await burst;
    expect(told).toHaveLength(lines);
    expect(isAscending(told)).toBe(true);
    expect(new Set(whats(told)).size).toBe(lines);
  });

  test('goes on where it was when the API was started again in between', async () => {
    const before = await world.openApi();
    const reader = await world.follow(before);
    await reader.awaits((event) => event.kind === 'ready');
    await world.log('before the restart');
    await reader.awaits(says('before the restart'));
    await before.close();
    await reader.ended;
    await world.log('while it is down');
    const after = await world.openApi();
    const again = await world.follow(after, '/v1/events', reader.lastId());
    await again.awaits(says('while it is down'));
    await world.log('after the restart');
    await again.awaits(says('after the restart'));
    expect(whats(again.numbered())).toEqual(['while it is down', 'after the restart']);
    expect(isAscending([...reader.numbered(), ...again.numbered()])).toBe(true);
  });

  test('says the same with the same ids in every API process', async () => {
    const second = await world.openApi();
    const one = await world.follow(api);
    const other = await world.follow(second);
    for (const reader of [one, other]) await reader.awaits((event) => event.kind === 'ready');
    await Promise.all(Array.from({ length: 40 }, (_, index) => world.log(`everywhere ${index}`)));
    await world.log('everywhere last');
    for (const reader of [one, other]) await reader.awaits(says('everywhere last'));
    expect(one.numbered()).toHaveLength(41);
    expect(other.numbered()).toEqual(one.numbered());
    const back = await world.follow(second, '/v1/events', one.numbered()[19]?.id ?? null);
    await back.awaits(says('everywhere last'));
    expect(back.numbered()).toEqual(one.numbered().slice(20));
  });

  test('of a campaign tells of that campaign only, and one of another account is not there', async () => {
    const mine = await makeCampaign('Followed');
    const other = await makeCampaign('Not followed');
    const reader = await world.follow(api, `/v1/campaigns/${mine}/events`);
    await reader.awaits((event) => event.kind === 'ready');
    const { accountId, actor } = world.mine;
    for (const campaignId of [other, mine]) {
      await withAccount(world.db, accountId, (trx) =>
        appendLog(trx, { accountId, campaignId, what: `log of ${campaignId}`, actor }),
      );
    }
    await reader.awaits(says(`log of ${mine}`));
    expect(whats(reader.numbered())).toEqual([`log of ${mine}`]);
    const foreign = await followEvents(api.url, world.theirs.key, `/v1/campaigns/${mine}/events`);
    foreign.close();
    expect(foreign.status).toBe(404);
    const theirs = await followEvents(api.url, world.theirs.key, '/v1/events?follow=false&lastEventId=0');
    await theirs.ended;
    expect(theirs.numbered().filter((event) => event.kind !== 'status')).toEqual([]);
  });

  test("of the installation is the operator's, who names no account", async () => {
    const campaignId = await makeCampaign('Of an account');
    await withAccount(world.db, 'operator', (trx) =>
      appendLog(trx, { accountId: 'operator', what: 'set up', actor: { id: 'key_1', via: 'api' } }),
    );
    const reader = await followEvents(api.url, world.operatorKey, '/v1/events?follow=false&lastEventId=0');
    await reader.ended;
    expect(whats(reader.numbered())).toEqual(['set up']);
    expect(JSON.stringify(reader.events)).not.toContain(campaignId);
  });

  test('begins anew, and says so, when the id is older than what is kept or was never given', async () => {
    await world.log('long ago');
    await numberEvents(world.db);
    await world.owner.query(`update events set at = now() - interval '2 days' where account_id = $1`, [
      world.mine.accountId,
    ]);
    await forgetEvents(world.db);
    await world.log('today');
    await numberEvents(world.db);
    const ask = async (id: number): Promise<readonly SseEvent[]> => {
      const reader = await world.follow(api, '/v1/events?follow=false', id);
      await reader.ended;
      return reader.events.filter((event) => event.kind !== 'progress');
    };
    const [reset] = await ask(1);
    expect(reset).toMatchObject({ kind: 'reset' });
    const last = reset?.id ?? 0;
    expect(await ask(last + 1_000)).toMatchObject([{ kind: 'reset', id: last }]);
    expect(await ask(last - 1)).toMatchObject([{ kind: 'ready' }, { id: last, data: { what: 'today' } }]);
    expect(await ask(last)).toMatchObject([{ kind: 'ready', id: last }]);
  });

  test('is not opened by whoever wants the headers only, since it would never end', async () => {
    const response = await fetch(`${api.url}/v1/events`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${world.mine.key}` },
    });
    expect(response.status).toBe(405);
  });

  test('refuses an id that is none', async () => {
    for (const id of ['x', '-1', '1.5', '99999999999999999999']) {
      const response = await fetch(`${api.url}/v1/events`, {
        headers: { authorization: `Bearer ${world.mine.key}`, 'last-event-id': id },
      });
      expect([id, response.status]).toEqual([id, 400]);
    }
  });
});

describe('progress', () => {
  test('tells how far a campaign has come, merged, and again to whoever comes back', async () => {
    const campaignId = await makeCampaign('Progressing');
    const { accountId } = world.mine;
    const { rows } = await world.owner.query<{ key: number }>(
      `with m as (insert into messages (id, account_id, campaign_id, position) values ($1, $2, $3, 1) returning key)
       select key from m`,
      [`msg_${campaignId}`, accountId, campaignId],
    );
    await world.owner.query('update campaigns set audience_size = 1000 where id = $1', [campaignId]);
    const add = (counter: string, delta: number) =>
      world.owner.query(
        'insert into rollup_deltas (account_id, message_key, counter, delta) values ($1, $2, $3, $4)',
        [accountId, rows[0]?.key, counter, delta],
      );
    await add('accepted', 10);
    const reader = await world.follow(api, `/v1/campaigns/${campaignId}/events`);
    await reader.awaits((event) => event.data['accepted'] === 10);
    for (let index = 0; index < 50; index += 1) await add('accepted', 10);
    await add('rejected:http_400', 3);
    await world.owner.query('select fold_rollups(1000)');
    await add('delivered', 7);
    const whole = await reader.awaits((event) => event.data['delivered'] === 7);
    expect(whole).toEqual({
      id: null,
      kind: 'progress',
      data: {
        campaignId,
        recipients: 1_000,
        accepted: 510,
        delivered: 7,
        undelivered: 0,
        failed: 0,
        rejected: 3,
        unknown: 0,
        skipped: 0,
        expired: 0,
        left: 487,
        segments: 0,
      },
    });
    expect(reader.events.filter((event) => event.kind === 'progress').length).toBeLessThan(50);
    for (const path of [`/v1/campaigns/${campaignId}/events`, '/v1/events']) {
      const back = await world.follow(api, `${path}?follow=false`, reader.lastId());
      await back.ended;
      expect(
        back.events.find((event) => event.data['campaignId'] === campaignId && event.kind === 'progress'),
      ).toEqual(whole);
    }
  });
});
