import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPairFileReader, PAIR_REFUSALS, PAIR_ROWS_MAX } from '../../domain/import/pair-file.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from '../api/api-world.ts';
import { createListOf } from '../api/seeded-things.ts';
import { addPairs, answerOf, openBranch, openParent, openPreset, pairOf } from './franchise.ts';

let world: ApiWorld;
let parent: Tenant;
let reno: Tenant;
let tahoe: Tenant;
let path: string;

beforeAll(async () => {
  world = await openApiWorld();
});
beforeEach(async () => {
  parent = await openParent(world);
  reno = await openBranch(world, parent, 'Harbour Bakery, Reno');
  tahoe = await openBranch(world, parent, 'Tahoe');
  path = await openPreset(parent, 'All bakeries');
});
afterAll(() => world.close());

function send(file: string | Uint8Array | ReadableStream, headers = {}): Promise<Reply> {
  return parent.call('PUT', `${path}/pairs.csv`, {
    body: file,
    headers: { 'content-type': 'text/csv', ...headers },
  });
}

const refusedOf = ({ body }: Reply): unknown[] =>
  (body['refused'] as readonly { readonly line: number; readonly reason: string }[]).map(
    ({ line, reason }) => `${line} ${reason}`,
  );

describe('a file of pairs', () => {
  test('as a spreadsheet writes it adds what is new, leaves what is known and tells what is neither', async () => {
    await createListOf(parent, reno.accountId, 'Guests "2027"');
    await openBranch(world, parent, 'Twin');
    await openBranch(world, parent, 'TWIN');
    await addPairs(parent, path, [pairOf(tahoe)]);
    const file = [
      '\uFEFFNotes,List,Account',
      `,Regulars,"Harbour Bakery, Reno"`,
      `"two\r\nlines","Guests ""2027""",${reno.accountId}`,
      `,${tahoe.listId},${tahoe.accountId}`,
      `,regulars, tahoe `,
      `,Regulars,Nobody`,
      ``,
      `,Regulars,Twin`,
      `,Nothing,Tahoe`,
      `,${reno.listId},Tahoe`,
      `,Regulars,${world.theirs.accountId}`,
      `,,Tahoe`,
      `,Regulars,`,
      `,Regulars,"Tahoe" Lake`,
      `,Regulars,Harbour Bakery, Reno`,
      `,Regulars,"Harbour Bakery, Reno"`,
    ].join('\r\n');
    const reply = await send(file);
    expect(reply).toMatchObject({ status: 200, body: { added: 2, known: 3, refusedRows: 9, version: 3 } });
    expect(refusedOf(reply)).toEqual([
      '7 unknown_account',
      '9 ambiguous_account',
      '10 unknown_list',
      '11 unknown_list',
      '12 unknown_account',
      '13 no_list',
      '14 no_account',
      '15 malformed_quotes',
      '16 too_many_fields',
    ]);
    const [first] = reply.body['refused'] as readonly object[];
    expect(first).toEqual({
      line: 7,
      reason: 'unknown_account',
      message: PAIR_REFUSALS.unknown_account,
    });
    expect((await parent.call('GET', path)).body).toMatchObject({ accounts: 2, lists: 3, version: 3 });
    const log = await parent.call('GET', '/v1/log?what=import_pairs');
    expect(log.body['items']).toMatchObject([{ detail: { added: 2, known: 3, refused: 9 } }]);
    expect(JSON.stringify(log.body)).not.toContain('Guests');
  });

  test('that names what is in the preset already changes nothing and leaves no line', async () => {
    const file = `account;list\n"Harbour Bakery, Reno";Regulars\n`;
    expect((await send(file)).body).toEqual({ added: 1, known: 0, refused: [], refusedRows: 0, version: 2 });
    const before = await world.snapshot();
    const again = await send(file);
    expect(again.body).toEqual({ added: 0, known: 1, refused: [], refusedRows: 0, version: 2 });
    expect(again.headers.get('etag')).toBe('"2"');
    expect(await world.snapshot()).toEqual(before);
  });

  test('takes what has the form of an id for one, whatever somebody is called', async () => {
    const impostor = await openBranch(world, parent, world.theirs.accountId);
    await impostor.call('POST', '/v1/lists', { body: { name: tahoe.listId } });
    const reply = await send(
      `account,list\n${world.theirs.accountId},Regulars\n${impostor.accountId},${tahoe.listId}\n`,
    );
    expect(refusedOf(reply)).toEqual(['2 unknown_account', '3 unknown_list']);
  });

  test.each([
    ['has no names in its first row', 'acc_1,lst_1\n', '422 not-acceptable-value'],
    ['names a column twice', 'account,list,List\n', '422 not-acceptable-value'],
    ['has a first row that is broken', '"account"x,list\n', '422 not-acceptable-value'],
    ['is blank', ' \n\n', '422 not-acceptable-value'],
    ['is empty', '', '400 malformed-request'],
    ['is not UTF-8', Buffer.from('account,list\nCaf\xe9,Regulars\n', 'latin1'), '422 not-acceptable-value'],
    ['ends within a character', Buffer.from([0x61, 0xc3]), '422 not-acceptable-value'],
    ['is UTF-16', Buffer.from('\uFEFFaccount,list\n', 'utf16le'), '422 not-acceptable-value'],
    ['has too many rows', `account,list\n${'a,b\n'.repeat(PAIR_ROWS_MAX + 1)}`, '422 not-acceptable-value'],
    ['is larger than 5 MB', Buffer.alloc(5_000_001, 'a'), '413 body-too-large'],
  ])('that %s is refused as a whole', async (_what, file, answer) => {
    const before = await world.snapshot();
    const reply = await send(file);
    expect(answerOf(reply)).toBe(answer);
    expect(await world.snapshot()).toEqual(before);
  });

  test('is read as it arrives: what grows beyond its limit is refused before its end', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x\n');
    let sent = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        sent += piece.length;
        if (sent > 50_000_000) controller.close();
        else controller.enqueue(piece);
      },
    });
    expect(answerOf(await send(endless))).toBe('413 body-too-large');
  });

  test('tells at most a thousand of the rows that it refuses, and how many there are', async () => {
    const reply = await send(`account,list\n${'Nobody,Regulars\n'.repeat(1_500)}Tahoe,Regulars\n`);
    expect(reply).toMatchObject({ status: 200, body: { added: 1, refusedRows: 1_500 } });
    expect(reply.body['refused']).toHaveLength(1_000);
  });

  test('is not taken for a preset that has changed since it was read', async () => {
    const file = `account,list\nTahoe,Regulars\n`;
    await addPairs(parent, path, [pairOf(reno)]);
    const before = await world.snapshot();
    expect(answerOf(await send(file, { 'if-match': '"1"' }))).toBe('412 version-mismatch');
    expect(await world.snapshot()).toEqual(before);
    expect(answerOf(await send(file, { 'if-match': '"2"' }))).toBe('200');
  });

  test('is not taken compressed', async () => {
    expect(answerOf(await send('account,list\n', { 'content-encoding': 'gzip' }))).toBe(
      '415 unsupported-media-type',
    );
  });

  test('may fill a preset as far as it goes, all of it by names', async () => {
    const [accounts, lists] = [500, 100];
    await world.owner.query(
      `insert into accounts (id, name, time_zone, sender_name, default_country, countries, parent_id)
       select $1::text || '_' || n, 'Branch ' || n, 'UTC', 'Harbour', 'US', '{US}', $1 from generate_series(1, $2::int) n`,
      [parent.accountId, accounts],
    );
    await world.owner.query(
      `insert into lists (id, account_id, name)
       select 'lst_' || a.id || '_' || n, a.id, 'List ' || n from accounts a, generate_series(1, $2::int) n
       where a.parent_id = $1 and a.name like 'Branch %'`,
      [parent.accountId, lists],
    );
    const rows = Array.from(
      { length: accounts * lists },
      (_row, index) => `Branch ${1 + (index % accounts)},List ${1 + Math.floor(index / accounts)}\n`,
    );
    const reply = await send(`account,list\n${rows.join('')}`);
    expect(reply.body).toMatchObject({ added: rows.length, known: 0, refusedRows: 0 });
    const read = await parent.call('GET', path);
    expect(read.body).toMatchObject({ accounts, lists: rows.length, faulty: accounts });
    const page = await parent.call('GET', `${path}/accounts?faulty=true&pageSize=200&page=3`);
    expect(page.body['total']).toBe(accounts);
    expect(page.body['items']).toHaveLength(accounts - 400);
  });
});

describe('the reader of such files', () => {
  const PLAIN = 8_000;
  const file = `\n"Account" ,x,list\r\n${'Reno,,Regulars\n'.repeat(PLAIN)}"a ""b""\r\n",,"c;d"\r\r\n é ,,f\n"open,,g\n`;

  test.each([1, 2, 7, 70_000, file.length])('finds the same in pieces of %i characters', (length) => {
    const reader = createPairFileReader();
    for (let from = 0; from < file.length; from += length) reader.push(file.slice(from, from + length));
    const { rows, ...rest } = { rows: [], ...reader.end() };
    const line = PLAIN + 3;
    expect(rows).toHaveLength(PLAIN + 2);
    expect(rows.slice(PLAIN - 1)).toEqual([
      { line: line - 1, account: 'Reno', list: 'Regulars' },
      { line, account: 'a "b"', list: 'c;d' },
      { line: line + 3, account: 'é', list: 'f' },
    ]);
    expect(rest).toEqual({ kind: 'pairs', refused: [{ line: line + 4, reason: 'malformed_quotes' }] });
  });

  test('refuses rows with control characters, which no name has', () => {
    const reader = createPairFileReader();
    reader.push('account,list\na\u0000,b\n');
    expect(reader.end()).toMatchObject({ refused: [{ line: 2, reason: 'control_characters' }] });
  });
});
