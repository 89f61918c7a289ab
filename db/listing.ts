import { type Expression, type RawBuilder, sql } from 'kysely';

/** Which part of a list is wanted. */
export interface Part {
  readonly offset: number;
  readonly limit: number;
}

/** How a list is ordered. */
export interface Order<Sort extends string> {
  readonly sort: Sort;
  readonly descending: boolean;
}

/** A part of a list with how many there are in all. */
export interface Listed<Item> {
  readonly items: Item[];
  readonly total: number;
}

/** An order that no two rows share, so that pages do not overlap: what has no value comes last, ties go by id. */
export function orderOf(
  by: Expression<unknown>,
  { descending }: { readonly descending: boolean },
  id: Expression<unknown> = sql.ref('id'),
): RawBuilder<unknown> {
  const direction = descending ? sql`desc` : sql`asc`;
  return sql`${by} ${direction} nulls last, ${id} ${direction}`;
}

/** The same by a column that always has a value: an index of it and the id gives the order as it is. */
export function indexedOrderOf(
  by: Expression<unknown>,
  { descending }: { readonly descending: boolean },
  id: Expression<unknown> = sql.ref('id'),
): RawBuilder<unknown> {
  const direction = descending ? sql`desc` : sql`asc`;
  return sql`${by} ${direction}, ${id} ${direction}`;
}

/** Whether a name has this in any part of it, without regard to case or accents. */
export function nameHas(name: Expression<unknown>, wanted: string): RawBuilder<boolean> {
  return sql<boolean>`search_form(${name}) like search_pattern(${wanted})`;
}
