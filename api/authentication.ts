import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { findApiKey, touchApiKey } from '../db/api-keys.ts';
import { withAccount } from '../db/database.ts';
import { hashApiSecret, type Scope } from '../db/make-api-key.ts';
import { findPerson } from '../db/people.ts';
import { type Acting, findActing } from '../db/sub-accounts.ts';
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
  /** A parent's key acts for its sub-account, and what that lets it see; null for everybody else. */
  readonly asParent: Acting | null;
  readonly scopes: readonly string[];
  readonly actor: Actor;
}

/** Whether the caller may see how the account has fared: everybody but a parent to whom it has not granted it. */
export function seesReports({ asParent }: Pick<Caller, 'asParent'>): boolean {
  return asParent === null || asParent.seesReports;
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
    /**
     * Whether a parent's key may ask it of a sub-account: `always`, or only where that has granted its reports. A route
     * that says nothing is closed to parents.
     */
    forParents?: 'always' | 'reports';
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
const ACCOUNT_ID = /^acc_[0-9a-z]{26}$/;
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
  if (key.accountIsDisabled && scope !== 'read' && scope !== 'reports') {
    throw new Problem(
      'account-disabled',
      'The account is disabled, so that it can be read and nothing else. Its parent or an operator enables it; GET /v1/account says why it is.',
    );
  }
  const named = request.headers['carillon-account'];
  const common = { keyId: key.id, isOperator, scopes: key.scopes };
  if (isOperator || named === undefined || named === key.accountId) {
    const accountId = isOperator ? accountOfOperator(request, scope) : key.accountId;
    if (key.useIsOld) await touchApiKey(deps.db, key.id);
    const actor = await actorOf(deps, request, accountId, key.id);
    return { ...common, accountId, asParent: null, actor };
  }
  const asParent = await actingAsParent(deps, request, key.accountId, String(named));
  if (key.useIsOld) await touchApiKey(deps.db, key.id);
  // Whoever acts works for the parent.
  const actor = await actorOf(deps, request, key.accountId, key.id);
  return { ...common, accountId: String(named), asParent, actor: { ...actor, via: 'parent' } };
}

/** What a key's account may see of the one that it names, which has to be its own sub-account. */
async function actingAsParent(
  deps: ApiDeps,
  request: FastifyRequest,
  parentId: string,
  named: string,
): Promise<Acting> {
  const acting = ACCOUNT_ID.test(named) ? await findActing(deps.db, parentId, named) : null;
  if (acting === null) {
    throw new Problem(
      'not-found',
      'There is no such account for this key. Leave Carillon-Account out or correct it.',
    );
  }
  const { forParents } = request.routeOptions.config;
  if (forParents === undefined) {
    throw new Problem(
      'not-for-parents',
      "A parent's key may not do this for a sub-account. Use a key of the sub-account itself.",
    );
  }
  if (forParents === 'reports' && !acting.seesReports) {
    throw new Problem(
      'grant-missing',
      'The sub-account has not granted its reports to its parent. It does so with PUT /v1/account/grants.',
    );
  }
  return acting;
}

function bearerOf(request: FastifyRequest): string {
  const header = request.headers.authorization ?? '';
  return header.startsWith('Bearer ') ? header.slice('Bearer '.length).trim() : '';
}

function accountOfOperator(request: FastifyRequest, scope: Scope): string {
  const named = request.headers['carillon-account'];
  if (scope === 'operator') return OPERATOR;
  if (named === undefined && request.routeOptions.config.orInstallation === true) return OPERATOR;
  if (typeof named === 'string' && ACCOUNT_ID.test(named)) return named;
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
