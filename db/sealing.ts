import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A key that seals; its id travels with what it sealed, so that keys can rotate. */
export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Buffer;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals a secret for the row that `associated` names; moved to another row it does not open. */
export function seal(key: SealingKey, secret: string, associated: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.secret, nonce).setAAD(Buffer.from(associated));
  const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${key.id}:${sealed.toString('base64')}`;
}

/** Opens what `seal` made, or null when no key opens it. */
export function unseal(keys: readonly SealingKey[], sealed: string, associated: string): string | null {
  const [id, text = ''] = sealed.split(':');
  const key = keys.find((one) => one.id === id);
  const bytes = Buffer.from(text, 'base64');
  if (key === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key.secret, bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(associated))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
