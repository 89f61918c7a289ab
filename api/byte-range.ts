/** Bytes of something from `first` to `last`, both included; the whole when nobody asks for a part. */
export type ByteRange =
  | { readonly kind: 'whole' | 'part'; readonly first: number; readonly last: number }
  /** It lies outside. */
  | { readonly kind: 'outside' };

/** Reads a `Range` header (RFC 9110, 14.2). Several ranges, and what is no range, count as none, which is allowed. */
export function byteRangeOf(header: string | undefined, bytes: number): ByteRange {
  const [, from = '', to = ''] = /^bytes=(\d{0,12})-(\d{0,12})$/.exec(header ?? '') ?? [];
  const whole = { kind: 'whole', first: 0, last: bytes - 1 } as const;
  if (from === '' && to === '') return whole;
  if (from === '') {
    const length = Math.min(Number(to), bytes);
    return length === 0 ? { kind: 'outside' } : { kind: 'part', first: bytes - length, last: bytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== '' && Number(to) < first) return whole;
  return first >= bytes ? { kind: 'outside' } : { kind: 'part', first, last };
}
