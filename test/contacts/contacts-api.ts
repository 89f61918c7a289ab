import { randomBytes } from 'node:crypto';
import { runImport } from '../../activities/import/run-import.ts';
import { createApp } from '../../api/app.ts';
import { insertApiKey } from '../../db/api-keys.ts';
import { type Db, openDatabase, openPool, withAccount } from '../../db/database.ts';
import { makeApiKey } from '../../db/make-api-key.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { IDLE_WORKFLOWS } from '../support/idle-workflows.ts';
import { createTestDatabase } from '../support/test-database.ts';

/** An answer of the API. */
export interface Reply {
  readonly status: number;
  // What a test expects of a body is what it asserts.
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** A program that calls the API for one account. */
export interface ApiCaller {
  readonly account: SeededAccount;
  readonly authorization: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

/** The API on a fresh database, listening on a free port. Imports run at once, without the engine. */
export interface ContactsApi {
  readonly url: string;
  readonly databaseUrl: string;
  readonly hashKey: Buffer;
  readonly db: Db;
  readonly caller: ApiCaller;
  readonly other: ApiCaller;
  /** Resolves when the import that was started last has ended. */
  imported(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the API with two accounts. */
export async function openContactsApi(): Promise<ContactsApi> {
  const database = await createTestDatabase();
  const pool = openPool({ connectionString: database.url, connectionsMax: 8, role: 'carillon_app' });
  const db = openDatabase(pool);
  const hashKey = randomBytes(32);
  let running: Promise<void> = Promise.resolve();
  const app = await createApp(
    {
      db,
      pool,
      crash: noCrash,
      hashKey,
      now: Date.now,
      publicUrl: 'http://127.0.0.1',
      keys: [{ id: 'k1', secret: randomBytes(32) }],
      defaultCredentials: null,
      acceptV2Signatures: false,
      workflows: {
        ...IDLE_WORKFLOWS,
        startImport: (accountId, importId) => {
          running = runImport({ db, pool, hashKey }, { accountId, importId }).then(() => undefined);
          return running;
        },
      },
    },
    false,
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    databaseUrl: database.url,
    hashKey,
    db,
    caller: await createCaller(url, db),
    other: await createCaller(url, db),
    imported: () => running,
    close: async () => {
      await app.close();
      await db.destroy();
      await database.drop();
    },
  };
}

async function createCaller(url: string, db: Db): Promise<ApiCaller> {
  const account = await seedAccount(db);
  const { key, prefix, hash } = makeApiKey();
  await withAccount(db, account.accountId, (trx) =>
    insertApiKey(trx, {
      accountId: account.accountId,
      name: 'Test',
      prefix,
      hash,
      scopes: ['read', 'write'],
      expiresAt: null,
    }),
  );
  const authorization = `Bearer ${key}`;
  return {
    account,
    authorization,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
      };
    },
  };
}
