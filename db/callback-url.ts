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

/** What a callback's path says, and the MAC that is to prove it. */
export interface PathParts {
  readonly accountId: string;
  readonly keyId: string;
  readonly postId: string;
  readonly mac: string;
}

const CARRIER = 'plivo';
const NOBODYS_KEY: SigningKey = { id: '', secret: randomBytes(32) };
const MAC_LENGTH = 32;
/** What no path is proved by. */
const NO_PROOF = '-'.repeat(MAC_LENGTH + 1);
/** Leases whose proof is kept in mind; whichever was met first is forgotten first. */
const PROOFS_KEPT_MAX = 4_096;

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

/**
 * Checks callbacks' paths against every key; null for anything that we have not made. The proofs of the leases that were
 * seen last are kept in mind, since a lease's reports come together.
 */
export function createPathVerifier(keys: readonly SigningKey[]): (path: PathParts) => CallbackPath | null {
  const proofs = new Map<string, string>();

  const remember = (subject: string, proof: string): void => {
    proofs.set(subject, proof);
    const [oldest] = proofs.keys();
    if (proofs.size > PROOFS_KEPT_MAX && oldest !== undefined) proofs.delete(oldest);
  };

  return (path) => {
    const { accountId, keyId, postId } = path;
    const post = parsePostId(postId);
    const known = keys.find((one) => one.id === keyId);
    // A key that there is not takes as long as one that there is.
    const key = known ?? NOBODYS_KEY;
    if (post !== null) {
      const subject = callbackSubject(CARRIER, accountId, keyId, formatLeaseOfPosts(post));
      // Whoever has no proof learns nothing of which leases are kept in mind: all that is refused is worked out anew.
      if (isEqual(proofs.get(subject) ?? NO_PROOF, path.mac)) return { kind: 'lease', accountId, post };
      if (isEqual(mac(key, subject), path.mac) && known !== undefined) {
        remember(subject, path.mac);
        return { kind: 'lease', accountId, post };
      }
    }
    // The whole post id was signed of what was posted before its lease was; such reports come for days.
    const whole = callbackSubject(CARRIER, accountId, keyId, postId);
    if (!isEqual(mac(key, whole), path.mac) || known === undefined) return null;
    if (post !== null) return { kind: 'lease', accountId, post };
    const testKey = parseTestPostId(postId);
    return testKey === null ? null : { kind: 'test', accountId, key: testKey };
  };
}

function isEqual(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function mac(key: SigningKey, subject: string): string {
  return createHmac('sha256', key.secret).update(subject).digest('base64url').slice(0, MAC_LENGTH);
}
