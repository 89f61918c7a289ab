import { type TSchema, Type } from 'typebox';
import { oneOf } from './schemas/common.ts';

/** The text that a list is searched for. */
export const Q = Type.Optional(
  Type.String({
    maxLength: 200,
    pattern: '\\S',
    description: 'Any part of the name, without regard to case or accents.',
    examples: ['spring'],
  }),
);

/** A filter that takes several values, repeated in the query. */
export function severalOf<Item extends TSchema>(item: Item, options: { readonly maxItems: number }) {
  return Type.Optional(
    Type.Array(item, {
      minItems: 1,
      ...options,
      description: 'Several, as a repeated field, are joined by or.',
    }),
  );
}

/** The columns that a list can be sorted by, the first unless told, and the direction. */
export function sortedBy<const Words extends readonly [string, ...string[]]>(
  words: Words,
  direction: 'asc' | 'desc',
) {
  return {
    sort: Type.Optional(oneOf(words, { description: `The column to sort by; ${words[0]} unless told.` })),
    order: Type.Optional(oneOf(['asc', 'desc'], { description: `${direction} unless told.` })),
  };
}

/** What the query asks for of `sortedBy`. */
export function orderIn<const Words extends readonly [string, ...string[]]>(
  words: Words,
  direction: 'asc' | 'desc',
  query: { readonly sort?: Words[number]; readonly order?: 'asc' | 'desc' },
): { readonly sort: Words[number]; readonly descending: boolean } {
  return { sort: query.sort ?? words[0], descending: (query.order ?? direction) === 'desc' };
}
