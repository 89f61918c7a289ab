import { Type } from 'typebox';
import { QUOTA_SORTS } from '../../db/quotas.ts';
import { Q, sortedBy } from '../list-query.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

const UNITS_MAX = 100_000_000;
const Name = Type.String({ minLength: 1, maxLength: 100, examples: ['Brand towards T-Mobile'] });
const settings = {
  rateUnits: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: UNITS_MAX,
        description: 'Segments of SMS or whole MMS a period; null is no limit.',
        examples: [240],
      }),
    ),
  ),
  ratePeriod: Type.Optional(
    oneOf(['second', 'minute'], { description: 'The period of the rate; second unless told.' }),
  ),
  dayUnits: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: UNITS_MAX,
        description: 'The same a day; the rest waits for the next one. Null is no limit.',
        examples: [10_000],
      }),
    ),
  ),
  resetZone: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'IANA zone in whose midnight the day begins; America/Los_Angeles unless told.',
      examples: ['America/Los_Angeles'],
    }),
  ),
  sharePercent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description:
        'So much of each text counts; 100 unless told. A limit of one network may be shared by fewer than all recipients.',
    }),
  ),
};

/** What is given of a quota. */
export const QuotaInput = Type.Object({ name: Name, ...settings }, { additionalProperties: false });

/** What can be changed of a quota. */
export const QuotaChanges = Type.Object(
  { name: Type.Optional(Name), ...settings },
  { additionalProperties: false },
);

/** Which quotas. */
export const QuotaQuery = Type.Object(
  { ...PageQuery.properties, q: Q, ...sortedBy(QUOTA_SORTS, 'asc') },
  { additionalProperties: false },
);

/** A quota with what is left of it today. */
export const QuotaOutput = Type.Object({
  id: idOf('quo'),
  name: Type.String(),
  rateUnits: nullable(Type.Integer()),
  ratePeriod: oneOf(['second', 'minute'], { description: 'The period of the rate.' }),
  dayUnits: nullable(Type.Integer()),
  resetZone: Type.String(),
  sharePercent: Type.Integer(),
  unitsLeftToday: nullable(
    Type.Integer({
      description:
        'Units of texts that may still be sent today; null without a daily cap, and to a parent without the grant.',
    }),
  ),
  resetsAt: INSTANT,
  createdAt: INSTANT,
});
