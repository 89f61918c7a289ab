import { randomBytes } from 'node:crypto';
import { Migrator } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openDatabase, openPool } from '../../db/database.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { MIGRATIONS } from '../../db/migrations/index.ts';
import { withOwner } from '../../dev/with-owner.ts';

const NAME = `test_${randomBytes(8).toString('hex')}`;
let admin: Client;
let url: string;

beforeAll(async () => {
  admin = new Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create database ${NAME}`);
  const place = new URL(inject('postgresUrl'));
  place.pathname = `/${NAME}`;
  url = place.href;
});
afterAll(async () => {
  await admin.query(`drop database if exists ${NAME} with (force)`);
  await admin.end();
});

test('what stood in the logs of campaigns is still there, in its order, after the logs became one', async () => {
  const db = openDatabase(openPool({ connectionString: url, connectionsMax: 1, role: 'owner' }));
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(MIGRATIONS) },
  });
  const { error } = await migrator.migrateTo('0006-system-functions');
  expect(error).toBeUndefined();
  await db.destroy();

  const rows = await withOwner(url, async (owner) => {
    await owner.query(
      `insert into campaign_log (account_id, campaign_id, at, what, from_status, to_status, action_id, who, via, detail)
     values ('acc_a', 'cmp_a', '2027-01-12T10:00Z', 'launch', 'draft', 'processing', 'act_a', 'per_a', 'api', '{"n":1}'),
            ('acc_b', 'cmp_b', '2027-01-12T09:00Z', 'duplicate', null, null, null, 'key_b', 'api', '{}')`,
    );
    await migrateToLatest(url);
    const lines = await owner.query<Record<string, unknown>>(
      `select account_id, campaign_id, subject_kind, subject_id, at, what, from_value, to_value, action_id, who, key_id, via, detail
     from log order by id`,
    );
    return lines.rows;
  });
  expect(rows).toEqual([
    {
      account_id: 'acc_a',
      campaign_id: 'cmp_a',
      subject_kind: 'campaign',
      subject_id: 'cmp_a',
      at: new Date('2027-01-12T10:00Z'),
      what: 'launch',
      from_value: 'draft',
      to_value: 'processing',
      action_id: 'act_a',
      who: 'per_a',
      key_id: null,
      via: 'api',
      detail: { n: 1 },
    },
    expect.objectContaining({ account_id: 'acc_b', from_value: null, to_value: null, who: 'key_b' }),
  ]);
});
