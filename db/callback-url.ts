import { createHmac, timingSafeEqual } from 'node:crypto';
import { callbackSubject, formatPostId, parsePostId, type PostId } from '../domain/callback-path.ts';

/** A key that signs callback paths; the first of a list signs, all of them verify. */
export interface SigningKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** A verified callback path. */
export interface CallbackPath {
  readonly accountId: string;
  readonly post: PostId;
}

const CARRIER = 'plivo';

/** Where the carrier reports on one post: our post id and a MAC that proves that we made it. */
export function callbackUrl(publicUrl: string, key: SigningKey, accountId: string, post: PostId): string {
  const subject = callbackSubject(CARRIER, accountId, key.id, formatPostId(post));
  return `${publicUrl}/callbacks/${subject}/${mac(key, subject)}`;
}

/** Checks a callback's path against every key. Null for anything that we have not made. */
export function verifyCallbackPath(
  keys: readonly SigningKey[],
  path: { accountId: string; keyId: string; postId: string; mac: string },
): CallbackPath | null {
  const key = keys.find((one) => one.id === path.keyId);
  const post = parsePostId(path.postId);
  if (key === undefined || post === null) return null;
  const wanted = Buffer.from(mac(key, callbackSubject(CARRIER, path.accountId, path.keyId, path.postId)));
  const given = Buffer.from(path.mac);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return null;
  return { accountId: path.accountId, post };
}

function mac(key: SigningKey, subject: string): string {
  return createHmac('sha256', key.secret).update(subject).digest('base64url').slice(0, 32);
}
