import { type TSchema, Type } from 'typebox';

/** The most items of a page. */
export const PAGE_SIZE_MAX = 200;
const PAGE_SIZE = 50;
/** How many items an answer has at most. */
export const PageSize = Type.Optional(
  Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX, description: `${PAGE_SIZE} unless told.` }),
);

/** Query fields of a list in pages. */
export const PageQuery = Type.Object(
  {
    page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'From 1.' })),
    pageSize: PageSize,
  },
  { additionalProperties: false },
);

/** Query fields of a long list with a cursor. */
export const CursorQuery = Type.Object(
  {
    cursor: Type.Optional(Type.String({ maxLength: 64, description: 'From the answer before.' })),
    pageSize: PageSize,
  },
  { additionalProperties: false },
);

/** A page of items with how many there are in all. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    page: Type.Integer(),
    pageSize: Type.Integer(),
    total: Type.Integer(),
    pages: Type.Integer(),
  });
}

/** Items with where the next ones begin; null at the end. */
export function cursorPageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
  });
}

/** Where a page begins and how long it is. */
export function rangeOf(query: { readonly page?: number; readonly pageSize?: number }): {
  readonly page: number;
  readonly pageSize: number;
  readonly offset: number;
  readonly limit: number;
} {
  const page = query.page ?? 1;
  const pageSize = query.pageSize ?? PAGE_SIZE;
  return { page, pageSize, offset: (page - 1) * pageSize, limit: pageSize };
}

/** The answer for a page. */
export function toPage<Item>(
  items: Item[],
  total: number,
  range: { readonly page: number; readonly pageSize: number },
): { items: Item[]; page: number; pageSize: number; total: number; pages: number } {
  return {
    items,
    page: range.page,
    pageSize: range.pageSize,
    total,
    pages: Math.ceil(total / range.pageSize),
  };
}
