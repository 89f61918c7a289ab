import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askedTogether } from '../../db/asked-together.ts';
import {
  type Db,
  openDatabase,
  openPipelinedDatabase,
  openPool,
  type Trx,
  withAccount,
  withAccountReading,
  withLedger,
} from '../../db/database.ts';
import { databaseTroubleOf } from '../../db/database-trouble.ts';
import { insertList, listLists } from '../../db/lists.ts';
import { until } from '../../dev/until.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { relayTo } from '../support/relay.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let db: Db;
let mine: SeededAccount;
let theirs: SeededAccount;

beforeAll(async () => {
  database = await createTestDatabase();
  // One connection, so that whatever a transaction leaves behind meets the next one.
  db = openPipelinedDatabase({
    connectionString: database.url,
    connectionsMax: 1,
    role: 'carillon_app',
  });
  mine = await seedAccount(db);
  theirs = await seedAccount(db);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

async function names(account: SeededAccount): Promise<string[]> {
  const { items } = await withAccountReading(db, account.accountId, (trx) =>
    listLists(trx, { sort: 'name', descending: false, offset: 0, limit: 50 }),
  );
  return items.map((list) => list.name);
}

test('a transaction sees its own account, whoever used the connection before', async () => {
  await withAccount(db, mine.accountId, (trx) => insertList(trx, mine.accountId, 'Mine'));
  await withAccount(db, theirs.accountId, (trx) => insertList(trx, theirs.accountId, 'Theirs'));
  const seen = await Promise.all([names(mine), names(theirs), names(mine)]);
  expect(seen[0]).toContain('Mine');
  expect(seen[0]).not.toContain('Theirs');
  expect(seen[1]).toContain('Theirs');
  expect(seen[1]).not.toContain('Mine');
  expect(seen[2]).toEqual(seen[0]);
  const outside = await sql`select id from lists`.execute(db);
  expect(outside.rows).toEqual([]);
});

test('an account with a quote in its name is a name and nothing else', async () => {
  const { rows } = await withAccount(db, `x'; select 'y`, (trx) =>
    sql<{ account: string }>`select current_setting('app.account') as account where ${1} = 1`.execute(trx),
  );
  expect(rows).toEqual([{ account: `x'; select 'y` }]);
});

test('what failed is rolled back whole, its own error is told, and the connection goes on', async () => {
  const failing = withAccount(db, mine.accountId, async (trx) => {
    await insertList(trx, mine.accountId, 'Lost');
    await Promise.all([
      sql`select 1 / ${0}::int`.execute(trx),
      insertList(trx, mine.accountId, 'Lost as well'),
    ]);
  });
  await expect(failing).rejects.toMatchObject({ code: '22012' });
  expect(await names(mine)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^Lost/)]));
});

test('a transaction in which a query failed cannot be committed, even if nobody minded', async () => {
  const careless = withAccount(db, mine.accountId, async (trx) => {
    await insertList(trx, mine.accountId, 'Careless');
    await sql`select 1 / ${0}::int`.execute(trx).catch(() => undefined);
  });
  await expect(careless).rejects.toThrow('rolled back');
  expect(await names(mine)).not.toContain('Careless');
});

test('an error of the caller undoes what he wrote', async () => {
  const refused = withAccount(db, mine.accountId, async (trx) => {
    await insertList(trx, mine.accountId, 'Refused');
    throw new RangeError('Not so.');
  });
  await expect(refused).rejects.toThrow(RangeError);
  expect(await names(mine)).not.toContain('Refused');
});

test('what only reads cannot write', async () => {
  const writing = withAccountReading(db, mine.accountId, (trx) => insertList(trx, mine.accountId, 'Sly'));
  await expect(writing).rejects.toMatchObject({ code: '25006' });
  expect(await names(mine)).not.toContain('Sly');
});

test('queries that are asked for together are answered each with its own rows', async () => {
  const answers = await withAccountReading(db, mine.accountId, (trx) =>
    Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const { rows } = await sql<{ n: number }>`select ${index}::int as n`.execute(trx);
        return rows[0]?.n;
      }),
    ),
  );
  expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => index));
});

test('queries that are asked for together are sent before the first of them is answered', async () => {
  const columns = ['one', 'two', 'three'];
  // Nothing that PostgreSQL says comes back before all of them have been sent, so that one that waits waits for ever.
  const relay = await relayTo(database.url, (sent) =>
    columns.every((column) => sent.includes(`as ${column}`)),
  );
  const waiting = openPipelinedDatabase({
    connectionString: relay.url,
    connectionsMax: 1,
    role: 'carillon_app',
  });
  await sql`select 1`.execute(waiting);
  relay.withhold();
  const answers = await withAccountReading(waiting, mine.accountId, (trx) =>
    Promise.all(columns.map((column, index) => sql`select ${index}::int as ${sql.raw(column)}`.execute(trx))),
  );
  expect(answers.map(({ rows }) => rows)).toEqual([[{ one: 0 }], [{ two: 1 }], [{ three: 2 }]]);
  await waiting.destroy();
  await relay.close();
});

test('of queries that are asked for together the first that fails says what went wrong', async () => {
  const failing = withAccount(db, mine.accountId, (trx) =>
    askedTogether([
      // Its own answer is handled later than those of the others.
      sql`select 1 / ${0}::int`.execute(trx).catch(async (error: unknown) => {
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        throw error;
      }),
      insertList(trx, mine.accountId, 'Lost too'),
    ]),
  );
  await expect(failing).rejects.toMatchObject({ code: '22012' });
  expect(await names(mine)).not.toContain('Lost too');
});

test('a connection that is broken off fails what was under way on it and nothing else', async () => {
  const owner = new Client({ connectionString: database.url });
  await owner.connect();
  const breakOff = (pid: number) => owner.query('select pg_terminate_backend($1, 10000)', [pid]);
  const betweenQueries = withAccount(db, mine.accountId, async (trx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
    await insertList(trx, mine.accountId, 'Broken off');
    await breakOff(rows[0]?.pid ?? 0);
    // Only now it is heard, with nothing under way.
    await owner.query('select 1');
    await insertList(trx, mine.accountId, 'Broken off as well');
  });
  const error = await betweenQueries.catch((thrown: unknown) => thrown);
  expect(databaseTroubleOf(error)).toBe('unavailable');
  // It has a parameter, so that the begin travels apart from it.
  const atItsBegin = db
    .transaction()
    .execute((trx) => sql`select pg_sleep(${60}::integer)`.execute(trx))
    .catch((thrown: unknown) => thrown);
  await until(
    () =>
      owner.query(
        `select pg_terminate_backend(pid, 10000) from pg_stat_activity
         where datname = current_database() and query like '%pg_sleep($1%' and pid <> pg_backend_pid()`,
      ),
    ({ rowCount }) => rowCount === 1,
  );
  expect(databaseTroubleOf(await atItsBegin)).toBe('unavailable');
  expect(await names(mine)).not.toContain('Broken off');
  await owner.end();
});

test('a transaction whose process stands still is rolled back, so that nobody waits for its locks for ever', async () => {
  const { accountId } = mine;
  const { id = '' } = (await withAccount(db, accountId, (trx) => insertList(trx, accountId, 'Before'))) ?? {};
  const rename = (trx: Trx, name: string) =>
    trx.updateTable('lists').set({ name }).where('id', '=', id).execute();
  const frozen = openPipelinedDatabase({
    connectionString: database.url,
    connectionsMax: 1,
    role: 'carillon_app',
    standstillMs: 500,
  });
  let goOn = (): void => undefined;
  const frozenUntil = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  try {
    let standing: Promise<unknown> = Promise.resolve();
    await new Promise<void>((hasLocked) => {
      standing = withAccount(frozen, accountId, async (trx) => {
        await rename(trx, 'Frozen');
        hasLocked();
        await frozenUntil;
        await rename(trx, 'Frozen and gone on');
      }).then(
        () => null,
        (error: unknown) => databaseTroubleOf(error),
      );
    });
    await withAccount(db, accountId, (trx) => rename(trx, 'By another'));
    goOn();
    expect(await standing).toBe('unavailable');
    expect(await names(mine)).toContain('By another');
    await withAccount(frozen, accountId, (trx) => rename(trx, 'By a new connection'));
    expect(await names(mine)).toContain('By a new connection');
  } finally {
    goOn();
    await frozen.destroy();
  }
});

test('a query that is asked for after its transaction ended is refused', async () => {
  let late: Trx | undefined;
  await withAccountReading(db, mine.accountId, async (trx) => {
    late = trx;
    await sql`select 1`.execute(trx);
  });
  if (late === undefined) throw new Error('There was no transaction.');
  await expect(sql`select 2`.execute(late)).rejects.toThrow('after the end');
});

test('a transaction that asks nothing ends, and so does one that is refused at its start', async () => {
  expect(await db.transaction().execute(() => Promise.resolve(7))).toBe(7);
  await expect(db.transaction().execute(() => Promise.reject(new Error('No.')))).rejects.toThrow('No.');
  const first = await db.transaction().execute((trx) => sql<{ n: number }>`select 5 as n`.execute(trx));
  expect(first.rows).toEqual([{ n: 5 }]);
});
test('what is asked last is committed with its answers, and none of it when one of them fails', async () => {
  const insert = (trx: Trx, name: string) => insertList(trx, mine.accountId, name);
  const id = await withAccount(db, mine.accountId, async (trx, closing) => {
    const [made] = await closing(() => askedTogether([insert(trx, 'Last'), insert(trx, 'Last of all')]));
    return made?.id;
  });
  expect(await names(mine)).toEqual(expect.arrayContaining(['Last', 'Last of all']));
  const failing = withAccount(db, mine.accountId, async (trx, closing) => {
    await insert(trx, 'Never');
    await closing(() =>
      askedTogether([
        insert(trx, 'Nor this'),
        sql`insert into lists (id, account_id, name) values (${id}, ${mine.accountId}, 'Twice')`.execute(trx),
      ]),
    );
  });
  await expect(failing).rejects.toThrow(/duplicate key/);
  const left = await names(mine);
  expect(left).not.toContain('Never');
  expect(left).not.toContain('Nor this');
});

test('a query after what a transaction asks last is refused, and not carried out outside of it', async () => {
  const late = withAccount(db, mine.accountId, async (trx, closing) => {
    await closing(() => insertList(trx, mine.accountId, 'In time'));
    await insertList(trx, mine.accountId, 'Late');
  });
  await expect(late).rejects.toThrow('after the end of its transaction');
  const left = await names(mine);
  expect(left).toContain('In time');
  expect(left).not.toContain('Late');
});

test('a transaction that lets its locks go early is durable when it has ended', async () => {
  const options = { connectionString: database.url, connectionsMax: 1 } as const;
  const owner = openDatabase(openPool({ ...options, role: 'owner' }));
  // The servers of the tests wait for no disk.
  await sql`alter database ${sql.ref(new URL(database.url).pathname.slice(1))} set synchronous_commit = on`.execute(
    owner,
  );
  await owner.destroy();
  const careful = openPipelinedDatabase({ ...options, role: 'carillon_app' });
  try {
    const written = await withLedger(
      careful,
      mine.accountId,
      (trx, closing) =>
        closing(async () => {
          const [, { rows }] = await askedTogether([
            insertList(trx, mine.accountId, 'Durable'),
            sql<{ lsn: string }>`select pg_current_wal_insert_lsn()::text as lsn`.execute(trx),
          ]);
          return rows[0]?.lsn ?? '';
        }),
      { releasesEarly: true },
    );
    const { rows } = await sql<{ flushed: boolean }>`
      select pg_current_wal_flush_lsn() > ${written}::pg_lsn as flushed`.execute(careful);
    expect(rows).toEqual([{ flushed: true }]);
  } finally {
    await careful.destroy();
  }
  expect(await names(mine)).toContain('Durable');
});
