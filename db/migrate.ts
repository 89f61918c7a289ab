import { fileURLToPath } from 'node:url';
import { Kysely, type Migration, Migrator, PostgresDialect, sql } from 'kysely';
import { bootstrap } from './bootstrap.ts';
import { type Db, openPool } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

/**
 * Brings a database to the newest schema. Two processes at a time are safe: one waits for the other. A migration whose
 * number lies before one that has run already is made up for, since numbers are given out before the work is done.
 */
export async function migrateToLatest(
  databaseUrl: string,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<string[]> {
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({
      pool: openPool({ connectionString: databaseUrl, connectionsMax: 1, role: 'owner' }),
    }),
  });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
      allowUnorderedMigrations: true,
    });
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    await db.destroy();
  }
}

/** The migrations that this code needs and the database lacks, and the newest that it has; null when it has none. */
export async function schemaState(
  db: Db,
): Promise<{ readonly newest: string; readonly missing: readonly string[] } | null> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const applied = rows.map((row) => row.name);
  const newest = applied.at(-1);
  if (newest === undefined) return null;
  return { newest, missing: Object.keys(MIGRATIONS).filter((name) => !applied.includes(name)) };
}

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
