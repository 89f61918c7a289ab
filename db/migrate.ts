import { fileURLToPath } from 'node:url';
import { Kysely, Migrator, PostgresDialect } from 'kysely';
import { bootstrap } from './bootstrap.ts';
import { openPool } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

/** Brings a database to the newest schema. Two processes at a time are safe: one waits for the other. */
export async function migrateToLatest(databaseUrl: string): Promise<string[]> {
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({
      pool: openPool({ connectionString: databaseUrl, connectionsMax: 1, role: 'owner' }),
    }),
  });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    await db.destroy();
  }
}

/** The last migration that this code needs; `/ready` compares it with the database's. */
export const SCHEMA_NEWEST = Object.keys(MIGRATIONS).at(-1) ?? '';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const databaseUrl = process.env['DATABASE_URL'];
  if (databaseUrl === undefined) {
    console.error(
      'DATABASE_URL is not set. Give the database to migrate, as postgres://user:password@host/name.',
    );
    process.exit(1);
  }
  const applied = await migrateToLatest(databaseUrl);
  console.log(applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`);
  const firstKeys = await bootstrap(databaseUrl);
  if (firstKeys !== null) {
    console.log('These keys are shown once:');
    console.log(`  operator                      ${firstKeys.operatorKey}`);
    console.log(`  account ${firstKeys.accountId}  ${firstKeys.accountKey}`);
  }
}
