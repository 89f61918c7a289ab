import type { CompiledQuery } from 'kysely';
import type { Db, Trx } from './database.ts';

/** Stands in a query for what is only known when it is asked. */
class Placeholder {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/**
 * A query whose SQL is put together once, at its first use, for those that are asked with every request. `build`
 * may only hand on what it is given as values: what it is given while it builds is not there yet.
 */
export function prepareQuery<Given extends object, Row>(
  build: (db: Db | Trx, given: Given) => CompiledQuery<Row>,
): (db: Db | Trx, given: Given) => Promise<Row[]> {
  let built: CompiledQuery<Row> | null = null;
  return async (db, given) => {
    built ??= build(db, PLACEHOLDERS as Given);
    const parameters = built.parameters.map((value) =>
      value instanceof Placeholder ? Reflect.get(given, value.name) : value,
    );
    const { rows } = await db.executeQuery<Row>({ ...built, parameters });
    return rows;
  };
}

/** Whatever is asked of it is a placeholder, which is the only thing that a query does with it. */
const PLACEHOLDERS: unknown = new Proxy({}, { get: (_, name) => new Placeholder(name) });
