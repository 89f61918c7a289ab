import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import { findAccount, insertAccount, newAccountId } from './accounts.ts';
import { insertApiKey } from './api-keys.ts';
import { ensureDefaultCarrierAccount } from './carrier-accounts.ts';
import { actAs, openDatabase, openPool, type Trx, withAccount } from './database.ts';
import { appendLog } from './log.ts';
import { ACCOUNT_SCOPES, makeApiKey, type Scope } from './make-api-key.ts';
import { seedRefusedPhrases } from './refused-phrases.ts';

/** Keys that are shown once, at the first start. */
export interface FirstKeys {
  readonly operatorKey: string;
  readonly accountId: string;
  readonly accountKey: string;
}

const OPERATOR = 'operator';
const SYSTEM: Actor = { id: 'system', via: 'system' };

/**
 * Sets an empty database up: the default carrier account, the refused phrases, an operator's key and a first
 * account with its key. Null when that has been done before; two processes at once do it once.
 * `timeZone` is the first account's, an IANA name; its people can change it.
 */
export async function bootstrap(
  databaseUrl: string,
  timeZone: string = localTimeZone(),
): Promise<FirstKeys | null> {
  const db = openDatabase(
    openPool({ connectionString: databaseUrl, connectionsMax: 1, role: 'carillon_app' }),
  );
  try {
    return await withAccount(db, OPERATOR, async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtext('carillon bootstrap'))`.execute(trx);
      await ensureDefaultCarrierAccount(trx);
      const known = await trx.selectFrom('api_keys').select('id').limit(1).executeTakeFirst();
      if (known !== undefined) return null;
      await seedRefusedPhrases(trx);
      const operatorKey = await addKey(trx, OPERATOR, ['operator']);
      const accountId = newAccountId();
      const accountKey = await actAs(trx, { from: OPERATOR, to: accountId }, async () => {
        await insertAccount(trx, accountId, {
          name: 'First account',
          timeZone,
          senderName: 'Carillon',
          defaultCountry: 'US',
          countries: ['US'],
        });
        if ((await findAccount(trx, accountId)) === null) throw new Error('The first account was not made.');
        await appendLog(trx, { accountId, what: 'create', actor: SYSTEM });
        return addKey(trx, accountId, ACCOUNT_SCOPES);
      });
      return { operatorKey, accountId, accountKey };
    });
  } finally {
    await db.destroy();
  }
}

/** Whoever starts a first system looks at the clock on his own wall. */
function localTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

async function addKey(trx: Trx, accountId: string, scopes: readonly Scope[]): Promise<string> {
  const { key, prefix, hash } = makeApiKey();
  const id = await insertApiKey(trx, { accountId, name: 'First key', prefix, hash, scopes, expiresAt: null });
  await appendLog(trx, {
    accountId,
    subject: { kind: 'key', id },
    what: 'create',
    to: { scopes },
    actor: SYSTEM,
  });
  return key;
}
