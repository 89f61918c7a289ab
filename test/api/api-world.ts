import { randomBytes } from 'node:crypto';
import type { AnySchema } from 'ajv';
import { Client } from 'pg';
import { createApp } from '../../api/app.ts';
import { OPERATOR } from '../../api/authentication.ts';
import type { Api, ApiDeps } from '../../api/deps.ts';
import type { RateLimits } from '../../api/rates.ts';
import { insertApiKey } from '../../db/api-keys.ts';
import { type Db, openPipelinedDatabase, openPool, withAccount } from '../../db/database.ts';
import { freezeAudience } from '../../db/audience.ts';
import { insertCampaign } from '../../db/campaigns.ts';
import { insertReviewParts } from '../../db/central/review/review-parts.ts';
import { insertPreset } from '../../db/presets.ts';
import { insertReview } from '../../db/review/reviews.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { ACCOUNT_SCOPES, makeApiKey, type Scope } from '../../db/make-api-key.ts';
import { IDLE_WORKFLOWS } from '../support/idle-workflows.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { createTestDatabase } from '../support/test-database.ts';

/** Noon of a winter's day in New York: no account has quiet hours then. */
export const NOON = Date.parse('2027-01-12T17:00:00Z');

/** An answer of the API. A body that is no JSON object stands under `text`. */
export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly type: string;
  readonly headers: Headers;
}

/** How a call differs from a plain one by a caller with JSON. */
export interface CallOptions {
  /** Sent as JSON, but a string or a buffer as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls the API with a key of its own, or with none. */
export type Caller = (method: string, path: string, options?: CallOptions) => Promise<Reply>;

/** An account with a caller that has every scope an account can have. */
export interface Tenant extends SeededAccount {
  /** Freezes a campaign's audience, as its workflow would. */
  readonly freeze: (campaignId: string) => Promise<void>;
  /** Makes a preset without Central Send, which would keep the account from becoming anybody's sub-account. */
  readonly seedPreset: (name: string) => Promise<string>;
  /** Makes a central draft and a review of it in the same way. */
  readonly seedCentral: (
    name: string,
  ) => Promise<{ readonly central: string; readonly centralReview: string }>;
  /** The key that it calls with. */
  readonly key: string;
  readonly call: Caller;
  /** A GET whose answer is read by the caller, bit by bit. */
  readonly download: (path: string, signal: AbortSignal) => Promise<Response>;
  /** A caller with these scopes only. */
  readonly withScopes: (scopes: readonly Scope[]) => Promise<Caller>;
}

/** The API on a fresh database, listening on a free port; the engine is a list of what was asked of it. */
export interface ApiWorld {
  readonly db: Db;
  /** The role that made the schema: it sees every row. */
  readonly owner: Client;
  readonly mine: Tenant;
  readonly theirs: Tenant;
  /** One more account, of which nothing is known yet. */
  readonly openTenant: () => Promise<Tenant>;
  /** With an operator's key; on routes of an account it needs the header Carillon-Account. */
  readonly operator: Caller;
  readonly anonymous: Caller;
  /** Where the API listens. */
  readonly url: string;
  /** With this key. */
  readonly callWith: (key: string) => Caller;
  /** Epoch milliseconds of the API's clock; a test may move it. */
  readonly clock: { at: number };
  /** Another API, as another process would be, on the same database unless with another handle; closed with the world. */
  readonly openAnother: (
    limits?: RateLimits,
    handle?: Db,
    trustedProxies?: readonly string[],
  ) => Promise<(key: string) => Caller>;
  /** What was asked of the engine, as `name id`. */
  readonly asked: readonly string[];
  readonly document: OpenApiDocument;
  /** Every route that the app answers, as `GET /v1/campaigns/:id`. */
  readonly routes: readonly string[];
  /** Every row of every table but kept idempotent answers, uses of keys and counts of refused callbacks, as one hash a table. */
  readonly snapshot: () => Promise<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** A part of an operation as OpenAPI writes it. */
export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema?: unknown }> };
  readonly responses?: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, { readonly schema?: AnySchema }> }
  >;
}

/** As much of the document as the tests read. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly components: { readonly securitySchemes: Record<string, unknown> };
  readonly security: readonly Record<string, readonly string[]>[];
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
}

/** One operation of the document with where it stands. */
export interface Route {
  readonly method: string;
  /** As the document writes it, such as `/v1/campaigns/{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

/** Every operation of the document. */
export function routesOf(document: OpenApiDocument): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

/** Starts the API with two accounts and an operator. */
export async function openApiWorld(): Promise<ApiWorld> {
  const database = await createTestDatabase();
  const connections = { connectionString: database.url, connectionsMax: 8, role: 'carillon_app' } as const;
  const pool = openPool(connections);
  const db = openPipelinedDatabase(connections);
  const owner = new Client({ connectionString: database.url });
  await owner.connect();
  const asked: string[] = [];
  const ask = (name: string) => (_accountId: string, id: string) => {
    asked.push(`${name} ${id}`);
    return Promise.resolve();
  };
  const askToApply = (name: string) => (_accountId: string, _campaignId: string, id: string) => {
    asked.push(`${name} ${id}`);
    return Promise.resolve(null);
  };
  const clock = { at: NOON };
  const hashKey = randomBytes(32);
  const deps: ApiDeps = {
    db,
    pool,
    crash: noCrash,
    hashKey,
    now: () => clock.at,
    publicUrl: 'http://127.0.0.1',
    keys: [{ id: 'k1', secret: randomBytes(32) }],
    defaultCredentials: null,
    acceptV2Signatures: false,
    workflows: {
      ...IDLE_WORKFLOWS,
      wakeCampaign: ask('wake'),
      ensureCampaign: ask('ensure'),
      applyAction: askToApply('apply'),
      wakeCentral: ask('wake central'),
      applyCentralAction: askToApply('apply central'),
      startImport: ask('import'),
      startTestSend: ask('test'),
    },
  };
  const app = await createApp(deps, false);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const others: Api[] = [];
  const anonymous = callerOf(url, null);
  const document = (await anonymous('GET', '/openapi.json')).body as unknown as OpenApiDocument;
  return {
    db,
    owner,
    mine: await makeTenant(url, db),
    theirs: await makeTenant(url, db),
    openTenant: () => makeTenant(url, db),
    operator: callerOf(url, await addKey(db, OPERATOR, ['operator'])),
    anonymous,
    url,
    callWith: (key) => callerOf(url, key),
    clock,
    openAnother: async (limits, handle = db, trustedProxies = []) => {
      const other = await createApp({ ...deps, db: handle }, false, limits, trustedProxies);
      others.push(other);
      const otherUrl = await other.listen({ host: '127.0.0.1', port: 0 });
      return (key) => callerOf(otherUrl, key);
    },
    asked,
    routes: readRoutes(app.printRoutes({ commonPrefix: false })),
    document,
    snapshot: () => snapshotOf(owner),
    close: async () => {
      for (const one of [app, ...others]) await one.close();
      await db.destroy();
      await pool.end();
      await owner.end();
      await database.drop();
    },
  };
}

/** Reads the tree that Fastify prints: four columns a level, each line a part of a path with its methods. */
function readRoutes(printed: string): string[] {
  const parts: string[] = [];
  return printed.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === '') return [];
    parts.length = indent.length / 4;
    parts.push(part);
    return methods === '' ? [] : methods.split(', ').map((method) => `${method} ${parts.join('')}`);
  });
}

async function makeTenant(url: string, db: Db): Promise<Tenant> {
  const account = await seedAccount(db);
  const withScopes = async (scopes: readonly Scope[]) =>
    callerOf(url, await addKey(db, account.accountId, scopes));
  const freeze = async (campaignId: string): Promise<void> => {
    await withAccount(db, account.accountId, (trx) => freezeAudience(trx, campaignId, NOON));
  };
  const seedPreset = async (name: string): Promise<string> => {
    const preset = await withAccount(db, account.accountId, (trx) =>
      insertPreset(trx, account.accountId, name),
    );
    if (preset === null) throw new Error('Another preset has this name.');
    return preset.id;
  };
  const seedCentral: Tenant['seedCentral'] = (name) =>
    withAccount(db, account.accountId, async (trx) => {
      const { accountId, personId: createdBy } = account;
      const central = await insertCampaign(trx, { accountId, createdBy, kind: 'central', name });
      const facts = { action: 'launch', content: '', schedule: '', hours: '', sender: '', lists: '' };
      const centralReview = await insertReview(trx, {
        accountId,
        campaignId: central,
        facts: { ...facts, recipients: 0, costMicroUsd: 0 },
        createdBy,
        expiresAt: new Date(NOON),
      });
      const figures = { lists: 1, recipients: 1, segments: 1, costMicroUsd: 1, messages: [] };
      await insertReviewParts(trx, accountId, centralReview, [
        { accountId, name: 'Branch', timeZone: 'America/New_York', ...figures, warnings: [], refusals: [] },
      ]);
      return { central, centralReview };
    });
  const key = await addKey(db, account.accountId, ACCOUNT_SCOPES);
  const download = (path: string, signal: AbortSignal) =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` }, signal });
  return { ...account, freeze, seedPreset, seedCentral, download, key, call: callerOf(url, key), withScopes };
}

async function addKey(db: Db, accountId: string, scopes: readonly Scope[]): Promise<string> {
  const { key, prefix, hash } = makeApiKey();
  await withAccount(db, accountId, (trx) =>
    insertApiKey(trx, { accountId, name: 'Test', prefix, hash, scopes, expiresAt: null }),
  );
  return key;
}

function callerOf(url: string, key: string | null): Caller {
  return async (method, path, { body, headers = {} } = {}) => {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
      ...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    const isOneValue = type.includes('json') && !type.includes('ndjson');
    const parsed: unknown = isOneValue ? JSON.parse(text) : { text };
    return {
      status: response.status,
      headers: response.headers,
      type: type.split(';')[0] ?? '',
      // Every JSON answer of this API is an object.
      body: parsed as Record<string, unknown>,
    };
  };
}

async function snapshotOf(owner: Client): Promise<Record<string, string>> {
  const tables = await owner.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname not like 'kysely%' and relname not in ('idempotency_keys', 'api_key_uses')
       -- Triggers write them beside what changes, and whoever reads them numbers them.
       and relname not in ('event_inbox', 'events', 'event_counters')
       -- Counted a second after a callback was refused.
       and relname <> 'callback_refusals' order by 1`,
  );
  const parts = tables.rows.map(
    ({ name }) =>
      `select '${name}' as name, count(*) || ' ' || coalesce(md5(string_agg(t::text, chr(10) order by t::text)), '')
         as rows from "${name}" t`,
  );
  const hashes = await owner.query<{ name: string; rows: string }>(parts.join(' union all '));
  return Object.fromEntries(hashes.rows.map(({ name, rows }) => [name, rows]));
}
