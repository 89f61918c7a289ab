import { type Static, type TSchema, Type } from 'typebox';
import { NUMBER_TYPES } from './settings.ts';

const closed = { additionalProperties: false } as const;
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const natural = Type.Integer({ minimum: 0 });
const rate = orNull(Type.Number({ exclusiveMinimum: 0 }));

/** What `PUT /sandbox/settings` takes; an unknown field is refused, so that a slip cannot go unseen. */
export const SETTINGS_SCHEMA = Type.Partial(
  Type.Object({
    requestsPer5s: orNull(Type.Integer({ minimum: 1 })),
    requestsAtOnceMax: Type.Integer({ minimum: 1 }),
    listsPerMinute: Type.Integer({ minimum: 1 }),
    callbackDelayMs: Type.Object({ min: natural, max: natural }, closed),
    retryDelaysMs: Type.Array(natural, { maxItems: 20 }),
    lateCallbackMs: natural,
    queueMsMax: natural,
    recordDelayMs: natural,
    creditMicroUsd: orNull(natural),
    isAccountDisabled: Type.Boolean(),
    refusesCredentials: Type.Boolean(),
    accountHttpStatus: Type.Integer({ minimum: 200, maximum: 599 }),
    inboundUrl: orNull(Type.String({ pattern: '^https?://' })),
  }),
  closed,
);

/** What `PUT /sandbox/numbers/{number}` takes. */
export const NUMBER_SCHEMA = Type.Partial(
  Type.Object({
    type: Type.Union(NUMBER_TYPES.map((type) => Type.Literal(type))),
    smsSegmentsPerSecond: rate,
    mmsPerSecond: rate,
    blocksStop: Type.Boolean(),
  }),
  closed,
);

/** What `POST /sandbox/faults` takes. */
export const FAULT_SCHEMA = Type.Object(
  {
    fault: Type.String(),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    rate: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
  },
  closed,
);
export type FaultOrder = Static<typeof FAULT_SCHEMA>;

/** What `POST /sandbox/inbound` takes. */
export const INBOUND_SCHEMA = Type.Object(
  {
    from: Type.String({ pattern: '^\\+?[0-9]{3,15}$' }),
    to: Type.String({ minLength: 1, maxLength: 16 }),
    text: Type.String({ maxLength: 5_000 }),
    mediaUrls: Type.Optional(Type.Array(Type.String({ pattern: '^https?://' }), { maxItems: 10 })),
  },
  closed,
);
