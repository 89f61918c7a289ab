import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  callbackSubject,
  formatLeaseOfPosts,
  formatPostId,
  formatTestPostId,
  type LeaseOfPosts,
  parsePostId,
  parseTestPostId,
  type PostId,
} from '../domain/callback-path.ts';

/** A key that signs callback paths; the first of a list signs, all of them verify. */
export interface SigningKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** A verified callback path. */
export type CallbackPath =
  | { readonly kind: 'lease'; readonly accountId: string; readonly post: PostId }
  | { readonly kind: 'test'; readonly accountId: string; readonly key: number };

const CARRIER = 'plivo';
const NOBODYS_KEY: SigningKey = { id: '', secret: randomBytes(32) };

/**
 * Where the carrier reports on each post of a lease, by its request: our post id and a MAC that proves that we made it.
 * All posts of a lease share the MAC, since which request of it a report is about decides nothing.
 */
export function callbackUrlsOf(
  publicUrl: string,
  key: SigningKey,
  accountId: string,
  lease: LeaseOfPosts,
): (request: number) => string {
  const proof = mac(key, callbackSubject(CARRIER, accountId, key.id, formatLeaseOfPosts(lease)));
  return (request) => {
    const subject = callbackSubject(CARRIER, accountId, key.id, formatPostId({ ...lease, request }));
    return `${publicUrl}/callbacks/${subject}/${proof}`;
  };
}

/** Where the carrier reports on the one post of a test. */
export function testCallbackUrl(
  publicUrl: string,
  key: SigningKey,
  accountId: string,
  testKey: number,
): string {
  const subject = callbackSubject(CARRIER, accountId, key.id, formatTestPostId(testKey));
  return `${publicUrl}/callbacks/${subject}/${mac(key, subject)}`;
}

/** Checks a callback's path against every key. Null for anything that we have not made. */
export function verifyCallbackPath(
  keys: readonly SigningKey[],
  path: { accountId: string; keyId: string; postId: string; mac: string },
): CallbackPath | null {
  const { accountId, keyId, postId } = path;
  const post = parsePostId(postId);
  const testKey = parseTestPostId(postId);
  const known = keys.find((one) => one.id === keyId);
  // A key that there is not takes as long as one that there is.
  const key = known ?? NOBODYS_KEY;
  const isProved = (id: string): boolean =>
    isEqual(mac(key, callbackSubject(CARRIER, accountId, keyId, id)), path.mac);
  // The whole post id was signed of what was posted before its lease was; such reports come for days.
  const isOurs = (post !== null && isProved(formatLeaseOfPosts(post))) || isProved(postId);
  if (!isOurs || known === undefined) return null;
  if (post !== null) return { kind: 'lease', accountId, post };
  return testKey === null ? null : { kind: 'test', accountId, key: testKey };
}

function isEqual(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function mac(key: SigningKey, subject: string): string {
  return createHmac('sha256', key.secret).update(subject).digest('base64url').slice(0, 32);
}
