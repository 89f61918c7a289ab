import { type Expression, type RawBuilder, sql } from 'kysely';

/** How the person or key of an id is called today, also when it is disabled or revoked; null for nobody of the account. */
export function nameOfActor(id: Expression<string | null>): RawBuilder<string | null> {
  return sql<string | null>`coalesce(
    (select p.name from people p where p.id = ${id}), (select k.name from api_keys k where k.id = ${id}))`;
}
