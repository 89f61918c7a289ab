import { createHmac } from 'node:crypto';

const HASH_BYTES = 16;

/**
 * The keyed hash of a number in E.164: 16 bytes of its HMAC-SHA256. It goes on naming a suppressed number after
 * the number itself has been erased, and nobody without the key can try all numbers against it.
 */
export function numberHash(hashKey: Buffer, number: string): Buffer {
  return createHmac('sha256', hashKey).update(number).digest().subarray(0, HASH_BYTES);
}
