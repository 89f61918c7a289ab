import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createApp } from '../../api/app.ts';
import { OPERATOR } from '../../api/authentication.ts';
import { insertApiKey } from '../../db/api-keys.ts';
import { type Db, openDatabase, openPool, type Trx, withAccount } from '../../db/database.ts';
import { appendLog } from '../../db/log.ts';
import { ACCOUNT_SCOPES, makeApiKey } from '../../db/make-api-key.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { IDLE_WORKFLOWS } from '../support/idle-workflows.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { type EventClient, followEvents } from './event-client.ts';

/** An API process of its own, as far as events are concerned. */
export interface EventsApi {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A database with two accounts, and as many APIs on it as a test wants. */
export interface EventsWorld {
  readonly db: Db;
  /** The role that made the schema: it sees every row. */
  readonly owner: Client;
  readonly mine: SeededAccount & { readonly key: string; readonly keyId: string };
  readonly theirs: SeededAccount & { readonly key: string };
  readonly operatorKey: string;
  /** One more key of my account. */
  readonly addKey: () => Promise<{ readonly key: string; readonly keyId: string }>;
  readonly openApi: () => Promise<EventsApi>;
  /** Listens as my account and is closed with the world. */
  readonly follow: (api: EventsApi, path?: string, lastEventId?: number | null) => Promise<EventClient>;
  /** Appends a line that says `what` to my account's log. */
  readonly log: (what: string, trx?: Trx) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Makes a database of its own. */
export async function openEventsWorld(): Promise<EventsWorld> {
  const database = await createTestDatabase();
  const pool = openPool({ connectionString: database.url, connectionsMax: 10, role: 'carillon_app' });
  const db = openDatabase(pool);
  const owner = new Client({ connectionString: database.url });
  await owner.connect();
  const account = async () => {
    const seeded = await seedAccount(db);
    return { ...seeded, ...(await addKey(db, seeded.accountId, ACCOUNT_SCOPES)) };
  };
  const [mine, theirs] = [await account(), await account()];
  const operator = await addKey(db, OPERATOR, ['operator']);
  const apis = new Set<EventsApi>();
  const clients = new Set<EventClient>();
  return {
    db,
    owner,
    mine,
    theirs,
    operatorKey: operator.key,
    addKey: () => addKey(db, mine.accountId, ACCOUNT_SCOPES),
    openApi: async () => {
      const app = await createApp(
        {
          db,
          pool,
          crash: noCrash,
          hashKey: randomBytes(32),
          now: Date.now,
          publicUrl: 'http://127.0.0.1',
          keys: [{ id: 'k1', secret: randomBytes(32) }],
          defaultCredentials: null,
          acceptV2Signatures: false,
          workflows: IDLE_WORKFLOWS,
        },
        false,
      );
      const api: EventsApi = {
        url: await app.listen({ host: '127.0.0.1', port: 0 }),
        close: async () => {
          apis.delete(api);
          await app.close();
        },
      };
      apis.add(api);
      return api;
    },
    follow: async (api, path = '/v1/events', lastEventId = null) => {
      const client = await followEvents(api.url, mine.key, path, lastEventId);
      clients.add(client);
      return client;
    },
    log: (what, trx) => {
      const line = { accountId: mine.accountId, what, actor: mine.actor };
      if (trx !== undefined) return appendLog(trx, line);
      return withAccount(db, mine.accountId, (own) => appendLog(own, line));
    },
    close: async () => {
      for (const client of clients) client.close();
      for (const api of apis) await api.close();
      await db.destroy();
      await owner.end();
      await database.drop();
    },
  };
}

async function addKey(
  db: Db,
  accountId: string,
  scopes: Parameters<typeof insertApiKey>[1]['scopes'],
): Promise<{ readonly key: string; readonly keyId: string }> {
  const { key, prefix, hash } = makeApiKey();
  const keyId = await withAccount(db, accountId, (trx) =>
    insertApiKey(trx, { accountId, name: 'Test', prefix, hash, scopes, expiresAt: null }),
  );
  return { key, keyId };
}
