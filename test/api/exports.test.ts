import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import type { FastifyReply } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendExport } from '../../api/export-stream.ts';
import { withAccount } from '../../db/database.ts';
import type { ReportReader } from '../../db/readers-in-force.ts';
import { type ApiWorld, type Caller, openApiWorld } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

/** More than two pages of an export, and a last one that is not full. */
const PEOPLE = 8_700;
const FORMULA = '=HYPERLINK("http://example.com","Click")';

let world: ApiWorld;
let campaign: string;
let message: string;
let call: Caller;
beforeAll(async () => {
  world = await openApiWorld();
  ({ call } = world.mine);
  await withAccount(world.db, world.mine.accountId, async (trx) => {
    const rows = Array.from({ length: PEOPLE }, (_, index) => ({
      account_id: world.mine.accountId,
      number: `+1212${String(5_550_000 + index)}`,
      number_hash: Buffer.from(String(index).padStart(16, '0')),
      country: 'US',
      first_name: index === 0 ? FORMULA : `Name ${index}, "the ${index}th"`,
      last_name: ['+SUM(A1)', '-2+3', '@cmd', '\tTab', '＝1', '+12125550001', 'Plain'][index] ?? null,
    }));
    for (let from = 0; from < PEOPLE; from += 1_000) {
      const ids = await trx
        .insertInto('contacts')
        .values(rows.slice(from, from + 1_000))
        .returning('id')
        .execute();
      await trx
        .insertInto('list_members')
        .values(
          ids.map(({ id }) => ({
            account_id: world.mine.accountId,
            list_id: world.mine.listId,
            contact_id: id,
          })),
        )
        .execute();
    }
  });
  ({ campaign, message } = await createDraft(world.mine, 'Exported'));
  await call('POST', `/v1/campaigns/${campaign}/messages`, { body: { text: 'Second' } });
  await call('POST', `/v1/campaigns/${campaign}/launch`, { body: { start: 'scheduled' } });
  await world.mine.freeze(campaign);
});
afterAll(() => world.close());

type Line = Readonly<Record<string, string>>;

async function csvOf(path: string): Promise<Line[]> {
  const { body, status, type } = await call('GET', path);
  expect({ status, type }).toEqual({ status: 200, type: 'text/csv' });
  return parse(String(body['text']), { bom: true, columns: true });
}

async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  const { body, type } = await call('GET', `${path}${path.includes('?') ? '&' : '?'}format=ndjson`);
  expect(type).toBe('application/x-ndjson');
  const lines = String(body['text']).trimEnd().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

const recipients = (): string => `/v1/campaigns/${campaign}/recipients/export`;

describe('an export of recipients', () => {
  it('has everybody once for each message, in the order of the audience, in both forms', async () => {
    const rows = await csvOf(recipients());
    expect(rows).toHaveLength(2 * PEOPLE);
    const wanted = [1, 2].flatMap((position) =>
      Array.from({ length: PEOPLE }, (_, index) => `${position}.${index + 1}`),
    );
    expect(rows.map((row) => row['cursor'])).toEqual(wanted);
    expect(new Set(rows.map((row) => row['number'])).size).toBe(PEOPLE);
    const lines = await linesOf(recipients());
    expect(lines.map((line) => line['number'])).toEqual(rows.map((row) => row['number']));
    expect(lines[0]).toMatchObject({
      recipient: 1,
      message: 1,
      state: 'waiting',
      attempts: 0,
      segments: null,
    });
  });

  it('is of one message only where that is asked for', async () => {
    const rows = await csvOf(`${recipients()}?messageId=${message}`);
    expect(rows).toHaveLength(PEOPLE);
    expect(new Set(rows.map((row) => row['messageId']))).toEqual(new Set([message]));
  });

  it('runs no formula in a spreadsheet, and leaves numbers and other texts as they are', async () => {
    const rows = await csvOf(`${recipients()}?messageId=${message}`);
    const names = new Map(rows.map((row) => [row['lastName'], row]));
    expect(rows.find((row) => row['firstName']?.includes('HYPERLINK'))?.['firstName']).toBe(`'${FORMULA}`);
    for (const name of ['+SUM(A1)', '-2+3', '@cmd', '\tTab', '＝1']) expect(names.has(`'${name}`)).toBe(true);
    for (const name of ['+12125550001', 'Plain']) expect(names.has(name)).toBe(true);
    expect(rows.filter((row) => !/^\+1212555\d{4}$/.test(row['number'] ?? ''))).toEqual([]);
    expect(rows.some((row) => row['firstName'] === 'Name 7, "the 7th"')).toBe(true);
    const lines = await linesOf(`${recipients()}?messageId=${message}`);
    expect(lines.some((line) => line['firstName'] === FORMULA)).toBe(true);
  });

  it.each(['csv', 'ndjson'])(
    'as %s that broke off goes on by cursor without a gap or a double',
    async (format) => {
      const whole = await text(`?format=${format}`);
      let got = '';
      for (const bytes of [300_000, 90_001, 12_345, Number.POSITIVE_INFINITY]) {
        const cursor = got === '' ? '' : `&cursor=${lastCursor(got, format)}`;
        const part = await text(`?format=${format}${cursor}`, bytes);
        got += bytes === Number.POSITIVE_INFINITY ? part : part.slice(0, part.lastIndexOf('\n') + 1);
      }
      expect(got.length).toBe(whole.length);
      expect(got).toBe(whole);
    },
  );

  it('says what became of each', async () => {
    const { rows } = await world.owner.query<{ key: string; month: string }>(
      `select m.key, c.audience_month::text as month from messages m join campaigns c on c.id = m.campaign_id where m.id = $1`,
      [message],
    );
    const { key, month } = rows[0] ?? { key: '', month: '' };
    const account = world.mine.accountId;
    await world.owner.query(
      `insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, cause, carrier_uuid, segments, cost_micro_usd)
       select $1, $2, $3, r, 1, 1, case when r = 4 then 'unknown' when r = 5 then 'not_accepted' else 'accepted' end, case when r = 5 then 'not_written' when r in (3, 6) then 'status_report' end, 'u' || r, 1, 7000
       from generate_series(1, 5) r`,
      [month, account, key],
    );
    await world.owner.query(
      `insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason, billed_micro_usd) values
         ($1, $2, $3, 1, 1, 'sent', 'sent', null, null), ($1, $2, $3, 1, 1, 'final', 'delivered', '000', 7700),
         ($1, $2, $3, 2, 1, 'final', 'undelivered', '70', null), ($1, $2, $3, 3, 1, 'sent', 'sent', null, null),
         ($1, $2, $3, 6, 0, 'final', 'skipped', 'opt_out', null)`,
      [month, account, key],
    );
    const lines = await linesOf(`${recipients()}?messageId=${message}`);
    expect(lines.slice(0, 7)).toMatchObject([
      { state: 'delivered', reason: '000', attempts: 1, costMicroUsd: 7_700, carrierUuid: 'u1' },
      {
        state: 'undelivered',
        reason: '70',
        meaning: 'destination permanently unavailable',
        costMicroUsd: 7_000,
      },
      { state: 'sent', reason: null },
      { state: 'unknown' },
      { state: 'deferred', reason: 'not_written' },
      { state: 'skipped', reason: 'opt_out', attempts: 0, attemptedAt: null },
      { state: 'waiting' },
    ]);
    const listed = await call('GET', `/v1/campaigns/${campaign}/recipients?pageSize=7`);
    const states = (listed.body['items'] as { state: string }[]).map(({ state }) => state);
    expect(states).toEqual(lines.slice(0, 7).map((line) => line['state']));
  });

  it('of another account is not found, and needs the scope for reports', async () => {
    expect((await world.theirs.call('GET', recipients())).status).toBe(404);
    const reader = await world.mine.withScopes(['read', 'write']);
    expect(await reader('GET', recipients())).toMatchObject({ status: 403, body: { code: 'scope-missing' } });
    for (const query of ['cursor=x', 'cursor=1.-1', 'format=xlsx', 'colour=red']) {
      expect((await call('GET', `${recipients()}?${query}`)).status).toBe(400);
    }
  });
});

/** The text of an export, or its beginning: the connection is broken off once so many bytes have arrived. */
async function text(query: string, bytesMax = Number.POSITIVE_INFINITY): Promise<string> {
  const abort = new AbortController();
  const { body } = await world.mine.download(recipients() + query, abort.signal);
  if (body === null) throw new Error('The answer has no body.');
  let got = Buffer.alloc(0);
  for await (const chunk of Readable.fromWeb(body)) {
    got = Buffer.concat([got, chunk as Buffer]);
    if (got.length >= bytesMax) break;
  }
  abort.abort();
  return got.subarray(0, Math.min(got.length, bytesMax)).toString('utf8');
}

/** The cursor of the last whole row that arrived. */
function lastCursor(got: string, format: string): string {
  const line = got.trimEnd().split('\n').at(-1) ?? '';
  return format === 'csv'
    ? (line.split(',').at(-1) ?? '')
    : String((JSON.parse(line) as Record<string, unknown>)['cursor']);
}

describe('other exports', () => {
  it('are of suppressions, which can be imported again as they are', async () => {
    for (const number of ['+14155550101', '+14155550102']) {
      await create(call, '/v1/suppressions', { number, kind: 'opt_out', reason: '=1+1' });
    }
    await create(call, '/v1/suppressions', { number: '+14155550103', kind: 'manual' });
    const rows = await csvOf('/v1/suppressions/export?kind=opt_out');
    expect(rows).toMatchObject([
      { number: '+14155550101', kind: 'opt_out', reason: "'=1+1" },
      { number: '+14155550102' },
    ]);
    const rest = await linesOf(`/v1/suppressions/export?cursor=${rows[0]?.['cursor']}`);
    expect(rest.map((row) => row['number'])).toEqual(['+14155550102', '+14155550103']);
  });

  it('are of the log of the account and of a campaign, the oldest line first', async () => {
    const all = await linesOf('/v1/log/export');
    const ids = all.map((line) => Number(line['id']));
    expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    const own = await linesOf(`/v1/campaigns/${campaign}/log/export`);
    expect(own.length).toBeGreaterThan(0);
    expect(own.length).toBeLessThan(all.length);
    expect(new Set(own.map((line) => line['campaignId']))).toEqual(new Set([campaign]));
    const rest = await linesOf(`/v1/log/export?cursor=${String(all[1]?.['cursor'])}`);
    expect(rest).toEqual(all.slice(2));
  });

  it('refuse a cursor of nobody before they begin', async () => {
    const reply = await call('GET', '/v1/log/export?cursor=999999999');
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid-field' } });
  });

  it('are of the rows that an import refused', async () => {
    const id = await create(call, '/v1/imports', {});
    await withAccount(world.db, world.mine.accountId, (trx) =>
      trx
        .insertInto('import_refusals')
        .values(
          [2, 3].map((line) => ({
            account_id: world.mine.accountId,
            import_id: id,
            line,
            reason: 'impossible',
            field: 'number',
            raw: '=cmd | 1',
          })),
        )
        .execute(),
    );
    const rows = await csvOf(`/v1/imports/${id}/refusals/export`);
    expect(rows).toMatchObject([
      { line: '2', reason: 'impossible', row: "'=cmd | 1" },
      { line: '3', cursor: '3' },
    ]);
    expect(await linesOf(`/v1/imports/${id}/refusals/export?cursor=2`)).toHaveLength(1);
    expect((await world.theirs.call('GET', `/v1/imports/${id}/refusals/export`)).status).toBe(404);
  });
});

/** As long as some hundred pages would take to be read. */
async function someTimeOfTheDatabase(): Promise<void> {
  for (let query = 0; query < 100; query += 1) await sql`select 1`.execute(world.db);
}

/** The first key of an account, with the account. */
async function readerOf({ accountId }: { readonly accountId: string }): Promise<ReportReader> {
  const { rows } = await world.owner.query<{ id: string }>(
    'select id from api_keys where account_id = $1 order by created_at limit 1',
    [accountId],
  );
  return { accountId, keyId: rows[0]?.id ?? '' };
}

describe('a download', () => {
  const reply = {
    type: () => reply,
    header: () => reply,
  } as unknown as FastifyReply;

  it('reads two pages ahead of its reader at most, and no more once he has gone away', async () => {
    let pages = 0;
    const source = {
      name: 'endless',
      columns: [{ name: 'n', value: (row: number) => row }],
      cursorOf: (row: number) => String(row),
      readPage: () => {
        pages += 1;
        return Promise.resolve([pages]);
      },
    };
    const stream = await sendExport(reply, world.db, await readerOf(world.mine), source, {});
    const reader = stream[Symbol.asyncIterator]();
    for (let chunk = 0; chunk < 5; chunk += 1) await reader.next();
    await someTimeOfTheDatabase();
    const read = pages;
    expect(read).toBeLessThanOrEqual(8);
    stream.destroy();
    await someTimeOfTheDatabase();
    expect(pages).toBe(read);
  });

  it('is broken off once its key or what that may see has ended, and gives no further page', async () => {
    const source = {
      name: 'withdrawn',
      columns: [{ name: 'n', value: (row: number) => row }],
      cursorOf: (row: number) => String(row),
      readPage: (_trx: unknown, after: string | null) => Promise.resolve([Number(after ?? 0) + 1]),
    };
    const { accountId: parentId, keyId } = await readerOf(world.theirs);
    const { accountId } = world.mine;
    const { owner } = world;
    const withParent = async (parent: string | null) =>
      owner.query('update accounts set parent_id = $1 where id = $2', [parent, accountId]);
    await withParent(parentId);
    await call('PUT', '/v1/account/grants', { body: { reports: true } });
    const stream = await sendExport(reply, world.db, { accountId, keyId }, source, {});
    const reader = stream[Symbol.asyncIterator]();
    for (let chunk = 0; chunk < 3; chunk += 1) await reader.next();
    await call('PUT', '/v1/account/grants', { body: { reports: false } });
    // What was read before is given; the next page is not.
    const rest = async (): Promise<number> => {
      let chunks = 0;
      while ((await reader.next()).done !== true) chunks += 1;
      return chunks;
    };
    await expect(rest()).rejects.toThrow('may not read it any more');
    await withParent(null);
  });

  it('that fails on the way is broken off', async () => {
    let pages = 0;
    const source = {
      name: 'failing',
      columns: [{ name: 'n', value: (row: number) => row }],
      cursorOf: (row: number) => String(row),
      readPage: () => {
        pages += 1;
        return pages < 3
          ? Promise.resolve([pages])
          : Promise.reject(new Error('The database has gone away.'));
      },
    };
    const stream = await sendExport(reply, world.db, await readerOf(world.mine), source, {});
    await expect(stream.toArray()).rejects.toThrow('gone away');
  });
});
