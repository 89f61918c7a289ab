import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { findApiKey, touchApiKey } from '../db/api-keys.ts';
import { withAccount } from '../db/database.ts';
import { hashApiSecret, type Scope } from '../db/make-api-key.ts';
import { findPerson } from '../db/people.ts';
import type { Actor } from '../domain/actor.ts';
import type { Api, ApiDeps } from './deps.ts';
import { Problem } from './problem.ts';
import type { CountRequest } from './rates.ts';

/** Who calls, for which account. */
export interface Caller {
  readonly keyId: string;
  /** The account, or the word `operator` on routes of the installation. */
  readonly accountId: string;
  readonly isOperator: boolean;
  readonly scopes: readonly string[];
  readonly actor: Actor;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
  interface FastifyInstance {
    /** Counts a request by its address; throws a Problem when it is one too many. */
    countByAddress: CountRequest;
  }
  interface FastifyContextConfig {
    /** What the key needs; `public` asks for none. */
    scope?: Scope | 'public';
    /** An operator who names no account acts for the installation. */
    orInstallation?: true;
    /** Who is welcome shows in the handler, which counts those whom it refuses, and nobody else (`countByAddress`). */
    countsRefused?: true;
    /** The body is a form, whose reader checks each field that it takes. */
    takesForm?: true;
    /** Its requests are logged one by one only where they are refused, or where everything is logged. */
    isFrequent?: true;
    /** The body is a file, which the route reads itself. */
    takesFile?: true;
    /** A POST whose answer holds a secret, so that none is kept for repeated requests. */
    keepsNoAnswer?: true;
  }
}

/** Tenant of what belongs to the installation. */
export const OPERATOR = 'operator';
const KEY = /^crl_([0-9a-z]{12})_([A-Za-z0-9_-]{43})$/;
const DUMMY_HASH = Buffer.alloc(32);

/**
 * Every request but public ones needs a key with the route's scope; sets `request.caller`. Requests are counted by
 * their key, and by their address when they have none.
 */
export function registerAuthentication(
  api: Api,
  deps: ApiDeps,
  rates: { readonly byKey: CountRequest; readonly byAddress: CountRequest },
): void {
  api.decorateRequest('caller');
  api.decorate('countByAddress', rates.byAddress);
  api.addHook('onRequest', async (request, reply) => {
    const { scope, countsRefused } = request.routeOptions.config;
    if (countsRefused === true) return;
    if (scope === 'public' || request.is404 || isDocumentation(request)) {
      await rates.byAddress(request, reply);
      return;
    }
    try {
      request.caller = await authenticate(deps, request, scope ?? 'read');
    } catch (error) {
      // Whoever tries keys, or things that his key may not do, is not let try for ever.
      await rates.byAddress(request, reply);
      throw error;
    }
    await rates.byKey(request, reply);
  });
}

/** The documentation's pages come from a plugin that knows nothing of scopes. */
function isDocumentation(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/docs') === true;
}

async function authenticate(deps: ApiDeps, request: FastifyRequest, scope: Scope): Promise<Caller> {
  const [, prefix, secret] = KEY.exec(bearerOf(request)) ?? [];
  const key = prefix === undefined ? null : await findApiKey(deps.db, prefix);
  const matches = timingSafeEqual(hashApiSecret(secret ?? ''), key?.hash ?? DUMMY_HASH);
  const isExpired =
    key?.expiresAt !== null && key?.expiresAt !== undefined && key.expiresAt.getTime() <= deps.now();
  if (key === null || !matches || key.revokedAt !== null || isExpired) {
    throw new Problem('unauthenticated', 'Send a valid key as "Authorization: Bearer crl_...".');
  }
  const isOperator = key.accountId === OPERATOR;
  if (!isOperator && !key.scopes.includes(scope)) {
    throw new Problem('scope-missing', `This key lacks the scope "${scope}". Use a key that has it.`);
  }
  const accountId = accountOf(request, key.accountId, isOperator, scope);
  if (key.useIsOld) await touchApiKey(deps.db, key.id);
  const actor = await actorOf(deps, request, accountId, key.id);
  return { keyId: key.id, accountId, isOperator, scopes: key.scopes, actor };
}

function bearerOf(request: FastifyRequest): string {
  const header = request.headers.authorization ?? '';
  return header.startsWith('Bearer ') ? header.slice('Bearer '.length).trim() : '';
}

function accountOf(request: FastifyRequest, keyAccount: string, isOperator: boolean, scope: Scope): string {
  const named = request.headers['carillon-account'];
  if (!isOperator) {
    if (named === undefined || named === keyAccount) return keyAccount;
    throw new Problem(
      'not-found',
      'There is no such account for this key. Leave Carillon-Account out or correct it.',
    );
  }
  if (scope === 'operator') return OPERATOR;
  if (named === undefined && request.routeOptions.config.orInstallation === true) return OPERATOR;
  if (typeof named === 'string' && /^acc_[0-9a-z]{26}$/.test(named)) return named;
  throw new Problem(
    'account-required',
    "An operator's key acts for an account: name it as Carillon-Account: acc_....",
  );
}

async function actorOf(
  deps: ApiDeps,
  request: FastifyRequest,
  accountId: string,
  keyId: string,
): Promise<Actor> {
  const personId = request.headers['carillon-person'];
  if (personId === undefined) return { id: keyId, via: 'api', keyId };
  const person =
    typeof personId === 'string'
      ? await withAccount(deps.db, accountId, (trx) => findPerson(trx, personId))
      : null;
  if (person !== null && person.disabledAt !== null) {
    throw new Problem('unknown-reference', 'The person whom Carillon-Person names is disabled.', {
      errors: [
        { pointer: '', message: 'Let somebody else act, leave the header out, or enable the person.' },
      ],
    });
  }
  if (person === null) {
    throw new Problem('unknown-reference', 'Carillon-Person names nobody who works for this account.', {
      errors: [{ pointer: '', message: 'Send the id of a person of this account, or leave the header out.' }],
    });
  }
  return { id: person.id, via: 'api', keyId };
}
