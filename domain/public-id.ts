// Crockford's alphabet: digits and letters in ascending order, without i, l, o and u.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGITS_COUNT = 13;
const KEY_MAX = 2n ** 63n - 1n;
const DIGITS_PATTERN = /^[0-9a-hjkmnp-tv-z]{13}$/;

/**
 * The public form of a bigint key: the prefix, an underscore and 13 lower-case base32 characters, which sort as
 * the keys do. Throws a RangeError for a key below 0 or above 2^63 - 1, a SyntaxError for one that is no integer.
 */
export function publicId(prefix: string, key: bigint | string): string {
  const value = BigInt(key);
  if (value < 0n || value > KEY_MAX) throw new RangeError('A key lies between 0 and 2^63 - 1.');
  // The upper and the lower part fit into a double each, which is several times faster than bigint digits.
  return `${prefix}_${digits(Number(value >> 35n), 6)}${digits(Number(value & 0x7ffffffffn), 7)}`;
}

/** The key of a public id, or null if it is not exactly what {@link publicId} makes with this prefix. */
export function parsePublicId(prefix: string, id: string): bigint | null {
  if (id.length !== prefix.length + 1 + DIGITS_COUNT || !id.startsWith(`${prefix}_`)) return null;
  const text = id.slice(-DIGITS_COUNT);
  if (!DIGITS_PATTERN.test(text)) return null;
  const value = (BigInt(number(text.slice(0, 6))) << 35n) | BigInt(number(text.slice(6)));
  return value > KEY_MAX ? null : value;
}

function digits(value: number, count: number): string {
  let text = '';
  let rest = value;
  for (let index = 0; index < count; index += 1) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function number(text: string): number {
  let value = 0;
  for (const digit of text) value = value * 32 + ALPHABET.indexOf(digit);
  return value;
}
