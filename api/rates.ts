import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Api } from './deps.ts';
import { Problem } from './problem.ts';

/** How many requests a minute are answered. Each API process counts for itself. */
export interface RateLimits {
  /** Of one key. */
  readonly perKey: number;
  /** Of one address, for what needs no key, and for what came with none that is valid. */
  readonly perAddress: number;
}

/** Limits that nobody meets who does not run in a circle. */
export const GENEROUS: RateLimits = { perKey: 60_000, perAddress: 60_000 };

/** Counts a request; throws a Problem when it is one too many. */
export type CountRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const WINDOW_MS = 60_000;
/** Keys and addresses that are counted at a time; whoever was not seen for the longest is forgotten first. */
const COUNTED_MAX = 50_000;

/** Prepares the counting by key and by address. */
export async function prepareRates(
  api: Api,
  limits: RateLimits,
): Promise<{ readonly byKey: CountRequest; readonly byAddress: CountRequest }> {
  await api.register(rateLimit, { global: false, cache: COUNTED_MAX });
  return {
    byKey: counter(api, 'key', limits.perKey, (request) => request.caller.keyId),
    byAddress: counter(api, 'address', limits.perAddress, (request) => request.ip),
  };
}

/** The headers say what is left: as the newest draft of the IETF has it, and as programs have read it for long. */
function counter(
  api: Api,
  policy: 'key' | 'address',
  max: number,
  keyGenerator: (request: FastifyRequest) => string,
): CountRequest {
  const count = api.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator });
  return async (request, reply) => {
    const counted = await count(request);
    if (counted.isAllowed) return;
    const { remaining, ttlInSeconds, isExceeded } = counted;
    reply.headers({
      'ratelimit-policy': `"${policy}";q=${max};w=${WINDOW_MS / 1_000}`,
      ratelimit: `"${policy}";r=${remaining};t=${ttlInSeconds}`,
      'ratelimit-limit': max,
      'ratelimit-remaining': remaining,
      'ratelimit-reset': ttlInSeconds,
    });
    if (!isExceeded) return;
    reply.header('retry-after', ttlInSeconds);
    throw new Problem(
      'too-many-requests',
      `This ${policy} has sent ${max} requests within a minute. Wait ${ttlInSeconds} s, as Retry-After says.`,
    );
  };
}
