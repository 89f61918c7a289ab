import { createHash, randomBytes } from 'node:crypto';

/** What a key may do. `operator` keys belong to the installation and may do everything for any account. */
export const SCOPES = ['read', 'write', 'send', 'reports', 'operator'] as const;
export type Scope = (typeof SCOPES)[number];

/** Scopes of a key that an account uses for everything. */
export const ACCOUNT_SCOPES = ['read', 'write', 'send', 'reports'] as const satisfies readonly Scope[];

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const PREFIX_LENGTH = 12;
const SECRET_BYTES = 32;

/** A new key: what is shown once, and what is kept. */
export function makeApiKey(): { readonly key: string; readonly prefix: string; readonly hash: Buffer } {
  const prefix = [...randomBytes(PREFIX_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { key: `crl_${prefix}_${secret}`, prefix, hash: hashApiSecret(secret) };
}

/** What is kept of a key's secret part. */
export function hashApiSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
