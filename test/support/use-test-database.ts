import { afterAll, beforeAll } from 'vitest';
import { type Db, openDatabase, openPool } from '../../db/database.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** As many as a test's transactions run at once. */
const CONNECTIONS = 8;

/** Gives the tests of a file a database of their own, opened as the application opens it. Call at the file's top. */
export function useTestDatabase(): () => Db {
  let database: TestDatabase | undefined;
  let db: Db | undefined;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = openDatabase(
      openPool({ connectionString: database.url, connectionsMax: CONNECTIONS, role: 'carillon_app' }),
    );
  });
  afterAll(async () => {
    await db?.destroy();
    await database?.drop();
  });
  return () => {
    if (db === undefined) throw new Error('The database is there once the tests run.');
    return db;
  };
}
