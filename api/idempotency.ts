import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Trx } from '../db/database.ts';
import { withAccount } from '../db/database.ts';
import { claimIdempotencyKey, storeIdempotentAnswer } from '../db/idempotency.ts';
import type { ApiDeps } from './deps.ts';
import { Problem } from './problem.ts';

/** What a route answers after its transaction. */
export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

const KEY_LENGTH_MAX = 200;

/**
 * Runs a route's transaction once per `Idempotency-Key`: the same key and body get the stored answer, another
 * body 422, a twin that is still under way 409. The key commits with what it created. Resolves with null for
 * `after` work when the answer was a stored one. `digest` stands for a body that the route has read itself.
 */
export async function idempotent<Body>(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (trx: Trx) => Promise<Answer<Body>>,
  digest?: string,
): Promise<{ readonly body: Body; readonly isRepeated: boolean }> {
  const key = request.headers['idempotency-key'];
  const { accountId, keyId } = request.caller;
  if (key === undefined) {
    const answer = await withAccount(deps.db, accountId, work);
    reply.code(answer.status);
    return { body: answer.body, isRepeated: false };
  }
  if (typeof key !== 'string' || key === '' || key.length > KEY_LENGTH_MAX) {
    throw new Problem(
      'malformed-request',
      `Idempotency-Key has 1 to ${KEY_LENGTH_MAX} characters. Send one of that length, or none.`,
    );
  }
  const requestHash = hashOf(request, digest);
  const result = await withAccount(deps.db, accountId, async (trx) => {
    const claim = await claimIdempotencyKey(trx, { accountId, apiKeyId: keyId, key, requestHash });
    if (claim.kind === 'in_flight') {
      throw new Problem(
        'request-in-flight',
        'The first request with this Idempotency-Key has not ended yet. Repeat this one a little later.',
      );
    }
    if (claim.kind === 'stored') {
      if (claim.requestHash !== requestHash) {
        throw new Problem('key-reused', 'This Idempotency-Key was used with another request. Use a new one.');
      }
      // The stored body is what this route wrote, so it has the route's shape.
      return { status: claim.status, body: claim.body as Body, isRepeated: true };
    }
    const answer = await work(trx);
    await storeIdempotentAnswer(trx, { accountId, apiKeyId: keyId, key, ...answer });
    return { ...answer, isRepeated: false };
  });
  reply.code(result.status);
  return { body: result.body, isRepeated: result.isRepeated };
}

function hashOf(request: FastifyRequest, digest?: string): string {
  const { body } = request;
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n`)
    .update(digest ?? (Buffer.isBuffer(body) ? body : JSON.stringify(body ?? null)))
    .digest('hex');
}
