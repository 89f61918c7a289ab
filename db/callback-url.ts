import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  callbackSubject,
  formatPostId,
  formatTestPostId,
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

/** Where the carrier reports on one post: our post id and a MAC that proves that we made it. */
export function callbackUrl(publicUrl: string, key: SigningKey, accountId: string, post: PostId): string {
  return signedUrl(publicUrl, key, accountId, formatPostId(post));
}

/** Where the carrier reports on the one post of a test. */
export function testCallbackUrl(
  publicUrl: string,
  key: SigningKey,
  accountId: string,
  testKey: number,
): string {
  return signedUrl(publicUrl, key, accountId, formatTestPostId(testKey));
}

function signedUrl(publicUrl: string, key: SigningKey, accountId: string, postId: string): string {
  const subject = callbackSubject(CARRIER, accountId, key.id, postId);
  return `${publicUrl}/callbacks/${subject}/${mac(key, subject)}`;
}

/** Checks a callback's path against every key. Null for anything that we have not made. */
export function verifyCallbackPath(
  keys: readonly SigningKey[],
  path: { accountId: string; keyId: string; postId: string; mac: string },
): CallbackPath | null {
  const key = keys.find((one) => one.id === path.keyId);
  const { accountId } = path;
  const post = parsePostId(path.postId);
  const testKey = parseTestPostId(path.postId);
  // A key that there is not takes as long as one that there is.
  const subject = callbackSubject(CARRIER, path.accountId, path.keyId, path.postId);
  const wanted = Buffer.from(mac(key ?? NOBODYS_KEY, subject));
  const given = Buffer.from(path.mac);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given) || key === undefined) return null;
  if (post !== null) return { kind: 'lease', accountId, post };
  return testKey === null ? null : { kind: 'test', accountId, key: testKey };
}

function mac(key: SigningKey, subject: string): string {
  return createHmac('sha256', key.secret).update(subject).digest('base64url').slice(0, 32);
}
