import { type TSchema, Type } from 'typebox';

/** One of some words. */
export function oneOf<const Words extends readonly string[]>(
  words: Words,
  options: { readonly description: string },
) {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: [...words], ...options });
}

/** A value or null. */
export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** An instant in an answer. */
export const INSTANT = Type.String({
  description: 'RFC 3339 with offset.',
  examples: ['2026-11-24T15:00:00-05:00'],
});

/** Somebody who acts: a person, a key, an operator, somebody of the parent, Temporal's UI or the system. */
export const ActorOutput = Type.Object({
  id: Type.String({ examples: ['per_01m86mtaj9fzxvj3x8dcj53g4n'] }),
  kind: oneOf(['person', 'key', 'operator', 'parent', 'temporal', 'system'], {
    description: 'Who or what it is.',
  }),
  name: nullable(Type.String({ description: 'As it is called today, also when it is disabled or revoked.' })),
});

/** A public id. */
export const idOf = (prefix: string, options: { readonly description?: string } = {}) =>
  Type.String({
    pattern: `^${prefix}_[0-9a-z]{13,26}$`,
    examples: [`${prefix}_01m86mtaj9fzxvj3x8dcj53g4n`],
    ...options,
  });

/** An amount of money: integer millionths and a currency. */
export const MONEY = Type.Object(
  {
    amountMicro: Type.Integer({ minimum: 0, maximum: 1_000_000_000_000_000, examples: [50_000_000] }),
    currency: Type.Literal('USD'),
  },
  { additionalProperties: false },
);

/** The `{id}` of a path. */
export const idParams = (prefix: string) => Type.Object({ id: idOf(prefix) });
