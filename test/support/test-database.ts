import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { withOwner } from '../../dev/with-owner.ts';

/** A database of one test file's own, with the newest schema and nothing in it. */
export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** Makes a database by copying the migrated template, which takes a tenth of a second. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(`create database ${name} template ${inject('templateDatabase')}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`drop database if exists ${name} with (force)`) };
}

async function asAdmin(statement: string): Promise<void> {
  await withOwner(inject('postgresUrl'), (admin) => admin.query(statement));
}
