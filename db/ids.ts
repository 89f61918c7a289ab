import { typeidUnboxed } from 'typeid-js';

/** What a public id can name. Ids of one prefix sort by when they were made. */
export type IdPrefix =
  | 'acc'
  | 'alt'
  | 'per'
  | 'key'
  | 'car'
  | 'snd'
  | 'lst'
  | 'imp'
  | 'med'
  | 'cmp'
  | 'msg'
  | 'act'
  | 'hld'
  | 'phr'
  | 'pre'
  | 'rnd'
  | 'quo'
  | 'rvw'
  | 'tnr'
  | 'tst';

/** A new id, such as `cmp_01j...`: the prefix and a UUIDv7. */
export function newId(prefix: IdPrefix): string {
  return typeidUnboxed(prefix);
}
