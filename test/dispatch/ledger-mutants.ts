import { Kysely, PostgresDialect } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import type { Db } from '../../db/database.ts';
import type { Database } from '../../db/schema.ts';
import { withOwner } from '../../dev/with-owner.ts';
import { type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

/** A statement, or a function of the database, as it would be if a rule of the protocol were broken. */
export interface SqlMutation {
  /** The function that is changed; the statements of our own code where it is missing. */
  readonly ofFunction?: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}

/** A ledger on a database whose SQL is changed. `changed` says how often the pattern was found. */
export async function openMutatedLedger(
  mutation: SqlMutation,
): Promise<LedgerWorld & { readonly changed: () => number }> {
  let changed = 0;
  const change = (text: string): string =>
    text.replace(mutation.pattern, (...found) => {
      changed += 1;
      return mutation.replacement.replace('$1', String(found[1]));
    });
  const inStatements = mutation.ofFunction === undefined;
  const world = await openLedgerWorld((pool) => (inStatements ? withStatements(pool, change) : plain(pool)));
  if (mutation.ofFunction !== undefined) {
    await changeFunction(world.databaseUrl, mutation.ofFunction, change);
  }
  return { ...world, changed: () => changed };
}

function plain(pool: Pool): Db {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** Kysely over clients that change each statement before it is sent. */
function withStatements(pool: Pool, change: (text: string) => string): Db {
  return new Kysely<Database>({
    dialect: new PostgresDialect({
      pool: {
        connect: async () => {
          const client = await pool.connect();
          const query = (text: string, values?: unknown[]) => client.query(change(text), values);
          return Object.assign(Object.create(client) as PoolClient, { query });
        },
        end: () => pool.end(),
      },
    }),
  });
}

async function changeFunction(
  databaseUrl: string,
  name: string,
  change: (text: string) => string,
): Promise<void> {
  await withOwner(databaseUrl, async (owner) => {
    const { rows } = await owner.query<{ definition: string }>(
      'select pg_get_functiondef(oid) as definition from pg_proc where proname = $1',
      [name],
    );
    await owner.query(change(rows[0]?.definition ?? ''));
  });
}
