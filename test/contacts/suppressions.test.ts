import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { receiveInbound } from '../../db/inbound.ts';
import { numberHash } from '../../db/number-hash.ts';
import { withOwner } from '../../dev/with-owner.ts';
import { type ApiCaller, type ContactsApi, openContactsApi, type Reply } from './contacts-api.ts';

let api: ContactsApi;
let caller: ApiCaller;
beforeAll(async () => {
  api = await openContactsApi();
  ({ caller } = api);
});
afterAll(() => api.close());

let lastNumber = 0;
/** A number of nobody yet. */
function newNumber(): string {
  lastNumber += 1;
  return `+1415555${String(1_000 + lastNumber)}`;
}

const suppress = (number: string, kind: string, more: object = {}): Promise<Reply> =>
  caller.call('POST', '/v1/suppressions', { number, kind, ...more });
const standing = async (number: string): Promise<unknown> =>
  (await caller.call('POST', '/v1/suppressions/find', { number })).body['suppressedAs'];
const history = async (number: string): Promise<string[]> => {
  const reply = await caller.call('POST', '/v1/suppressions/history', { number });
  const items = reply.body['items'] as { what: string; kind: string; source: string }[];
  return items.map(({ what, kind, source }) => `${what} ${kind} by ${source}`);
};
const write = (number: string, text: string) =>
  receiveInbound(api.db, {
    carrierAccountId: caller.account.carrierAccountId,
    uuid: randomUUID(),
    from: number,
    to: '12345',
    text,
    numberHash: numberHash(api.hashKey, number),
  });

/** Imports a file and resolves with the import as it stands then. */
async function importFile(path: string, order: object, content: string): Promise<Record<string, unknown>> {
  const { body } = await caller.call('POST', path, order);
  const id = String(body['id']);
  await caller.call('PUT', `/v1/imports/${id}/content`, content, { 'content-type': 'text/csv' });
  await api.imported();
  return (await caller.call('GET', `/v1/imports/${id}`)).body;
}

describe('a suppression', () => {
  it('is added at once, found by the number in a body, and listed by kind', async () => {
    const number = newNumber();
    const added = await suppress(number, 'manual', { reason: 'He is our own plumber.' });
    expect(added).toMatchObject({
      status: 201,
      body: { kind: 'manual', number, source: 'api', reason: 'He is our own plumber.' },
    });
    expect(await standing(`(415) 555-${number.slice(-4)}`)).toBe('manual');
    const listed = await caller.call('GET', '/v1/suppressions?kind=manual');
    expect(listed.body['items']).toContainEqual(added.body);
    const others = await caller.call('GET', '/v1/suppressions?kind=opt_out&kind=erased');
    expect(others.body['items']).not.toContainEqual(added.body);
    expect(await caller.call('GET', `/v1/suppressions/${String(added.body['id'])}`)).toMatchObject({
      status: 200,
      body: added.body,
    });
  });

  it('that is there already is answered as it is, and appended to no history', async () => {
    const number = newNumber();
    const first = await suppress(number, 'opt_out', { reason: 'By telephone.' });
    const second = await suppress(number, 'opt_out', { reason: 'By letter.' });
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(await history(number)).toEqual(['added opt_out by api']);
  });

  it('shows the gravest of several kinds', async () => {
    const number = newNumber();
    for (const [kind, shown] of [
      ['manual', 'manual'],
      ['undeliverable', 'undeliverable'],
      ['opt_out', 'opt_out'],
      ['erased', 'erased'],
    ] as const) {
      await suppress(number, kind);
      expect(await standing(number)).toBe(shown);
    }
  });

  it('can hold for one sender alone', async () => {
    const number = newNumber();
    const { senderId } = caller.account;
    expect((await suppress(number, 'manual', { senderId })).body).toMatchObject({ senderId });
    expect((await suppress(number, 'manual')).status).toBe(201);
  });

  it('of another account is neither seen nor removed', async () => {
    const number = newNumber();
    const { body } = await suppress(number, 'manual');
    const path = `/v1/suppressions/${String(body['id'])}`;
    expect((await api.other.call('GET', path)).status).toBe(404);
    expect((await api.other.call('POST', `${path}/remove`, { reason: 'Mine.' })).status).toBe(404);
    const found = await api.other.call('POST', '/v1/suppressions/find', { number });
    expect(found.body).toEqual({ suppressedAs: null, suppressions: [] });
    expect(await standing(number)).toBe('manual');
  });

  it('pages by cursor without a gap or a double', async () => {
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const page = await caller.call('GET', `/v1/suppressions?pageSize=2${cursor}`);
      seen.push(...(page.body['items'] as { id: string }[]).map((item) => item.id));
      const { nextCursor } = page.body;
      cursor = typeof nextCursor === 'string' ? `&cursor=${nextCursor}` : '';
    } while (cursor !== '');
    const all = await caller.call('GET', '/v1/suppressions?pageSize=200');
    expect(seen).toEqual((all.body['items'] as { id: string }[]).map((item) => item.id));
    expect(seen.length).toBeGreaterThan(5);
  });
});

describe('an opt-out', () => {
  it('is removed by nobody without a reason on record, and with one by name', async () => {
    const number = newNumber();
    const { body } = await suppress(number, 'opt_out');
    const path = `/v1/suppressions/${String(body['id'])}/remove`;
    for (const order of [{}, { reason: '  ' }]) {
      expect(await caller.call('POST', path, order)).toMatchObject({
        status: 422,
        body: { code: 'reason-required', errors: [{ pointer: '/reason' }] },
      });
    }
    expect(await standing(number)).toBe('opt_out');
    const removed = await caller.call('POST', path, { reason: 'She wrote that it was a mistake.' });
    expect(removed).toMatchObject({ status: 200, body: { suppressedAs: null, suppressions: [] } });
    const { items } = (await caller.call('POST', '/v1/suppressions/history', { number })).body as {
      items: object[];
    };
    expect(items).toMatchObject([
      { what: 'added', kind: 'opt_out' },
      { what: 'removed', reason: 'She wrote that it was a mistake.', via: 'api', source: 'api' },
    ]);
    expect((await caller.call('POST', path, { reason: 'Again.' })).status).toBe(404);
  });

  it("ends with the contact's own START, which lifts nothing else", async () => {
    const number = newNumber();
    await suppress(number, 'manual');
    await write(number, 'STOP');
    expect(await standing(number)).toBe('opt_out');
    await write(number, 'START');
    expect(await standing(number)).toBe('manual');
    expect(await history(number)).toEqual([
      'added manual by api',
      'added opt_out by inbound',
      'removed opt_out by inbound',
    ]);
  });

  it('is forgotten by no worker while the number is suppressed in another way', async () => {
    const number = newNumber();
    const heard: string[] = [];
    const listener = new Client({ connectionString: api.databaseUrl });
    await listener.connect();
    listener.on('notification', ({ payload }) => heard.push(payload?.slice(0, 1) ?? ''));
    await listener.query('listen carillon_suppressions');
    const manual = await suppress(number, 'manual');
    await write(number, 'STOP');
    await write(number, 'START');
    await caller.call('POST', `/v1/suppressions/${String(manual.body['id'])}/remove`, {});
    await listener.query('select 1');
    expect(heard).toEqual(['+', '+', '-']);
    await listener.end();
  });
});

describe('an import of suppressions', () => {
  it('suppresses as its rows or its order say, once a number, and reports what it refuses', async () => {
    const [one, two, three, four] = [newNumber(), newNumber(), newNumber(), newNumber()];
    await suppress(three, 'opt_out', { reason: 'First.' });
    const done = await importFile(
      '/v1/suppressions/imports',
      { kind: 'opt_out', reason: 'From the old system.' },
      [
        'Mobile,Kind,Note,Time zone,Reason',
        `${one},,x,Mars,`,
        `${two},Undeliverable,x,,Bounced`,
        `${three},opt out,x,,Second.`,
        `${one},,again,,Newer`,
        `${four},subscribed,x,,`,
        `${four},erased,x,,`,
        'nobody,,x,,',
      ].join('\n'),
    );
    expect(done).toMatchObject({
      status: 'finished',
      subject: 'suppressions',
      mapping: { Mobile: 'number', Kind: 'kind', Reason: 'reason', Note: null, 'Time zone': null },
      rows: { read: 7, imported: 3, created: 2, merged: 1, refused: 3 },
    });
    expect([await standing(one), await standing(two), await standing(three), await standing(four)]).toEqual([
      'opt_out',
      'undeliverable',
      'opt_out',
      null,
    ]);
    const kept = await caller.call('POST', '/v1/suppressions/find', { number: one });
    expect(kept.body['suppressions']).toMatchObject([
      { reason: 'Newer', source: 'import', importId: done['id'] },
    ]);
    const before = await caller.call('POST', '/v1/suppressions/find', { number: three });
    expect(before.body['suppressions']).toMatchObject([{ reason: 'First.', source: 'api' }]);
    const refused = await caller.call('GET', `/v1/imports/${String(done['id'])}/refusals`);
    expect(refused.body['items']).toMatchObject([
      { line: 6, reason: 'unknown_kind', field: 'kind' },
      { line: 7, reason: 'erasure_in_file' },
      { line: 8, field: 'number' },
    ]);
  });

  it('never subscribes anybody again, whatever the file calls it, and nor does one of contacts', async () => {
    const number = newNumber();
    await suppress(number, 'opt_out');
    for (const [path, content] of [
      ['/v1/suppressions/imports', `Mobile,Kind,Status\n${number},subscribed,active`],
      ['/v1/suppressions/imports', `Mobile,Kind,Status\n${number},manual,subscribed`],
      ['/v1/imports', `Mobile,Status,Opt-in\n${number},subscribed,yes`],
    ] as const) {
      expect((await importFile(path, {}, content))['status']).toBe('finished');
    }
    expect(await standing(number)).toBe('opt_out');
    expect(await history(number)).toEqual(['added opt_out by api', 'added manual by import']);
  });

  it('takes columns as its mapping says, and says what is wrong with a mapping of no number', async () => {
    const number = newNumber();
    const mapping = { A: 'number', B: 'reason' };
    const done = await importFile('/v1/suppressions/imports', { mapping }, `A,B,Kind\n${number},Why,opt_out`);
    expect(done).toMatchObject({ rows: { created: 1 }, mapping });
    expect(await standing(number)).toBe('manual');
    const refused = await caller.call('POST', '/v1/suppressions/imports', { mapping: { B: 'reason' } });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/mapping' }] } });
  });
});

describe('an erasure', () => {
  it('leaves nothing of a person but the keyed hash, which goes on refusing', async () => {
    const number = newNumber();
    const digits = number.slice(2);
    await importFile(
      '/v1/imports',
      {},
      `Mobile,First Name,Time zone\n${number},Erasmus,\n${digits},Erasmus,Mars`,
    );
    const headers = { 'idempotency-key': `for ${number.slice(-4)}` };
    await caller.call('POST', '/v1/contacts', { number: newNumber() }, headers);
    await suppress(number, 'manual', { reason: 'Erasmus owes us money.' });
    await write(number, 'I am Erasmus');
    await caller.call('PATCH', `/v1/contacts/${await contactOf(number)}`, { custom: { nick: 'Erasmus' } });

    expect(await rowsThatName(digits, 'Erasmus')).not.toEqual([]);
    const erased = await caller.call(
      'POST',
      '/v1/suppressions',
      { number, kind: 'erased' },
      { 'idempotency-key': 'erase' },
    );
    expect(erased).toMatchObject({ status: 201, body: { number: null, reason: null, kind: 'erased' } });
    await write(number, 'It is Erasmus again. STOP');
    await write(number, 'STOP');
    await suppress(number, 'undeliverable');
    await importFile('/v1/suppressions/imports', {}, `Mobile\n${number}`);
    expect(await rowsThatName(digits, 'Erasmus')).toEqual([]);
    expect(await standing(number)).toBe('erased');
    expect((await caller.call('POST', '/v1/contacts/find', { number })).status).toBe(404);
  });
});

async function contactOf(number: string): Promise<string> {
  return String((await caller.call('POST', '/v1/contacts/find', { number })).body['id']);
}

/** The tables in which some row holds one of these words, however it is stored. */
function rowsThatName(...words: readonly string[]): Promise<string[]> {
  return withOwner(api.databaseUrl, async (owner) => {
    const tables = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    );
    const found: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await owner.query(
        `select from "${name}" t where exists (select from unnest($1::text[]) w
         where t::text like '%' || w || '%' or t::text like '%' || encode(convert_to(w, 'UTF8'), 'hex') || '%')`,
        [words],
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  });
}
