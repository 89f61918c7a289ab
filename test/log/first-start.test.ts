import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap } from '../../db/bootstrap.ts';
import { withOwner } from '../../dev/with-owner.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('what the first start makes is in the log as made by the system, once, and without the keys', async () => {
  const first = await bootstrap(database.url, 'Etc/UTC');
  expect(await bootstrap(database.url, 'Etc/UTC')).toBeNull();
  const { rows } = await withOwner(database.url, (owner) =>
    owner.query<{
      account: string;
      subject: string;
      what: string;
      who: string;
      line: string;
    }>(
      `select account_id as account, subject_kind as subject, what, who, l::text as line from log l order by id`,
    ),
  );
  const accountId = first?.accountId ?? '';
  expect(rows.map(({ account, subject, what, who }) => [account, subject, what, who])).toEqual([
    ['operator', 'key', 'create', 'system'],
    [accountId, 'account', 'create', 'system'],
    [accountId, 'key', 'create', 'system'],
  ]);
  const secrets = [first?.operatorKey ?? '', first?.accountKey ?? ''].map((key) => key.slice(-43));
  expect(secrets.filter((secret) => rows.some(({ line }) => line.includes(secret)))).toEqual([]);
});
