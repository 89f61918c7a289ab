import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { numberHash } from '../../db/number-hash.ts';
import { seedAccount } from '../support/seed.ts';
import { type ImportWorld, openImportWorld } from './import-world.ts';

let world: ImportWorld;
beforeAll(async () => {
  world = await openImportWorld();
});
afterAll(() => world.close());

async function contact(number: string) {
  return (await world.contacts()).find((one) => one.number === number);
}

describe('a file with the flaws of real ones', () => {
  const file = [
    '\uFEFFFirst Name,Last Name,Mobile,Time Zone,City',
    'Zoë,"O\'Hara, Jr.",(212) 555-2001,America/New_York,New York',
    '"Ann\nMarie",Lee,212-555-2002,America/Chicago,"Line one',
    'line two"',
    '',
    'Bo,Short,555-01,,',
    'Cy,,,,',
    'Dee,Land,+442079460123,,London',
    ',,+14155552003,,',
    '"Eve,Unclosed,+14155552004,,',
    'Flo,After,+14155552005,Mars/Olympus,',
    'Gus,After,+14155552006,,x,surplus',
    `${'H'.repeat(201)},Long,+14155552007,,`,
    'Ida,First,+14155552008,America/Denver,Denver',
    'Ida,,1 (415) 555 2008,,Boulder',
    'Jon,NUL\0,+14155552009,,',
  ].join('\r\n');

  test('imports the good rows and reports each refused one with line, reason and field', async () => {
    const done = await world.importFile(file, { listIds: [world.account.listId] });
    expect(done).toMatchObject({
      status: 'finished',
      error: null,
      rows: { read: 13, imported: 4, created: 4, merged: 1, refused: 8 },
      format: { encoding: 'utf-8', delimiter: ',' },
      mapping: {
        'First Name': 'firstName',
        'Last Name': 'lastName',
        Mobile: 'number',
        'Time Zone': 'zone',
        City: 'custom.city',
      },
    });
    expect(done.bytesRead).toBe(done.bytes);
    const refusals = await world.refusals(done.id);
    expect(refusals.map(({ line, reason, field }) => [line, reason, field])).toEqual([
      [7, 'impossible', 'number'],
      [8, 'empty', 'number'],
      [9, 'fixed_line', 'number'],
      [11, 'malformed_quotes', null],
      [12, 'unknown_zone', 'zone'],
      [13, 'too_many_fields', null],
      [14, 'field_too_long', 'firstName'],
      [17, 'control_characters', 'lastName'],
    ]);
    expect(await contact('+12125552001')).toMatchObject({ first_name: 'Zoë', last_name: "O'Hara, Jr." });
    expect(await contact('+12125552002')).toMatchObject({
      first_name: 'Ann Marie',
      custom: { city: 'Line one\nline two' },
    });
    expect(await contact('+14155552003')).toMatchObject({ first_name: null, custom: {}, country: 'US' });
  });

  test('merges rows about the same number, the last row first', async () => {
    expect(await contact('+14155552008')).toEqual({
      number: '+14155552008',
      country: 'US',
      first_name: 'Ida',
      last_name: 'First',
      time_zone: 'America/Denver',
      custom: { city: 'Boulder' },
    });
  });

  test('puts its contacts on the lists and hashes their numbers', async () => {
    const rows = await withAccount(world.db, world.account.accountId, (trx) =>
      trx
        .selectFrom('list_members as m')
        .innerJoin('contacts as c', 'c.id', 'm.contact_id')
        .where('m.list_id', '=', world.account.listId)
        .select(['c.number', 'c.number_hash'])
        .execute(),
    );
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row.number_hash).toEqual(numberHash(world.hashKey, row.number));
  });

  test('imported again, changes nothing but what it says', async () => {
    const before = await world.contacts();
    const again = await world.importFile(file, { listIds: [world.account.listId] });
    expect(again.rows).toEqual({ read: 13, imported: 4, created: 0, merged: 1, refused: 8 });
    expect(await world.contacts()).toEqual(before);
  });

  test('run again once it is finished, does nothing', async () => {
    const id = await world.prepare('number\n+14155552100');
    expect(await world.run(id)).toMatchObject({ status: 'finished', rows: { created: 1 } });
    const before = await world.find(id);
    expect(await world.run(id)).toMatchObject({ status: 'finished', rows: { created: 1 } });
    expect(await world.find(id)).toEqual(before);
  });
});

describe('what is there already', () => {
  test('is kept where a row says nothing, and custom fields are merged', async () => {
    await world.importFile('number,first name,city,plan\n+14155552200,Kim,Reno,gold');
    await world.importFile('number,first name,last name,city,pet\n+14155552200,,Park,Elko,cat');
    expect(await contact('+14155552200')).toMatchObject({
      first_name: 'Kim',
      last_name: 'Park',
      custom: { city: 'Elko', plan: 'gold', pet: 'cat' },
    });
  });

  test('an import never touches suppressions', async () => {
    await withAccount(world.db, world.account.accountId, (trx) =>
      trx
        .insertInto('suppressions')
        .values({
          account_id: world.account.accountId,
          number_hash: numberHash(world.hashKey, '+14155552300'),
          kind: 'opt_out',
          number: '+14155552300',
          source: 'inbound',
        })
        .execute(),
    );
    const read = () =>
      withAccount(world.db, world.account.accountId, (trx) =>
        trx.selectFrom('suppressions').selectAll().execute(),
      );
    const before = await read();
    await world.importFile('number\n+14155552300');
    expect(await contact('+14155552300')).toBeDefined();
    expect(await read()).toEqual(before);
  });
});

describe('encodings and delimiters are found out', () => {
  const rows = (delimiter: string) =>
    [
      ['Vorname', 'Nachname', 'Handy', 'Straße'],
      ['Jörg', 'Müßig', '0151 23456789', 'Größere Gasse'],
      ['Änne', 'Çelik', '0151 23456790', 'Königsallee'],
    ]
      .map((row) => row.join(delimiter))
      .join('\r\n');

  test.each([
    ['windows-1252', ';', 'windows-1252', iconv.encode(rows(';'), 'windows-1252')],
    ['UTF-16 LE with a mark', '\t', 'utf-16le', iconv.encode(rows('\t'), 'utf-16le', { addBOM: true })],
    ['UTF-16 BE without a mark', ',', 'utf-16be', iconv.encode(rows(','), 'utf-16be')],
    ['UTF-8', '|', 'utf-8', Buffer.from(rows('|'))],
  ] as const)('%s with %j', async (_name, delimiter, encoding, content) => {
    // Pieces of an odd size: characters and line breaks are cut anywhere.
    const done = await world.importFile(content, { defaultCountry: 'DE', pieceBytes: 17 });
    expect(done).toMatchObject({
      status: 'finished',
      format: { encoding, delimiter },
      rows: { read: 2, imported: 2, refused: 0 },
    });
    expect(await contact('+4915123456789')).toMatchObject({ first_name: 'Jörg', last_name: 'Müßig' });
    expect(await contact('+4915123456790')).toMatchObject({
      first_name: 'Änne',
      custom: { straße: 'Königsallee' },
    });
  });

  test('a file that is plain ASCII for its first 100 kB is still read right', async () => {
    const plain = Array.from(
      { length: 3_000 },
      (_, index) => `+1415556${String(index).padStart(4, '0')},Plain name`,
    );
    const content = ['number,first name', ...plain, '+14155559999,José'].join('\n');
    const done = await world.importFile(iconv.encode(content, 'windows-1252'));
    expect(done).toMatchObject({ rows: { imported: 3_001 }, format: { encoding: 'windows-1252' } });
    expect(await contact('+14155559999')).toMatchObject({ first_name: 'José' });
  });

  test('a given mapping is followed', async () => {
    const done = await world.importFile('a,b,c\n+14155552400,Lou,x', {
      mapping: { a: 'number', b: 'custom.nick_name' },
    });
    expect(done.status).toBe('finished');
    expect(await contact('+14155552400')).toMatchObject({ first_name: null, custom: { nick_name: 'Lou' } });
  });
});

describe('a file that cannot be imported', () => {
  test.each([
    ['is empty', '', undefined, 'empty_file'],
    ['has no number column', 'name,e-mail\nAnn,a@example.com', undefined, 'no_number_column'],
    ['lacks a mapped column', 'a\n+14155552500', { b: 'number' }, 'unknown_columns'],
    ['has a mapping without a number', 'a\n+14155552500', { a: 'firstName' }, 'no_number_column'],
  ] as const)('fails when it %s, and says how to mend it', async (_name, content, mapping, code) => {
    const done = await world.importFile(content, mapping === undefined ? {} : { mapping });
    expect(done).toMatchObject({ status: 'failed', error: { code } });
    expect(done.error?.message.length).toBeGreaterThan(40);
    expect(await world.run(done.id)).toMatchObject({ status: 'failed' });
  });

  test('fails when one of its lists is gone', async () => {
    const done = await world.importFile('number\n+14155552600', { listIds: ['lst_gone'] });
    expect(done).toMatchObject({ status: 'failed', error: { code: 'list_gone' } });
    expect(await contact('+14155552600')).toBeUndefined();
  });
});

describe('another account', () => {
  test('neither sees an import nor can run it', async () => {
    const other = await seedAccount(world.db);
    const id = await world.prepare('number\n+14155552700');
    expect(await world.run(id, other.accountId)).toEqual({ kind: 'gone' });
    expect(await world.find(id)).toMatchObject({ status: 'queued' });
    await world.run(id);
    const seen = await withAccount(world.db, other.accountId, (trx) =>
      trx.selectFrom('contacts').select('id').execute(),
    );
    expect(seen).toEqual([]);
  });
});

test('two runners of one import import it once', async () => {
  const lines = Array.from(
    { length: 12_000 },
    (_, index) => `+1415557${String(index % 10_000).padStart(4, '0')}`,
  );
  const id = await world.prepare(['number', ...lines].join('\n'));
  const results = await Promise.all([world.run(id), world.run(id)]);
  expect(results.map((result) => result.kind).toSorted()).toEqual(['busy', 'ended']);
  expect(await world.run(id)).toMatchObject({ status: 'finished', rows: { created: 10_000, merged: 2_000 } });
});
