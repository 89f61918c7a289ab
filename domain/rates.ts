import type { SenderType } from './sender.ts';

/** What the carrier takes for one SMS segment or one MMS, from a day on. */
export interface Rate {
  /** ISO 3166 alpha-2, or '*' for every country without rows of its own. */
  readonly country: string;
  /** '*' for every sender type without a row of its own in that country. */
  readonly senderType: SenderType | '*';
  readonly kind: 'sms' | 'mms';
  readonly baseMicroUsd: number;
  /** What the recipient's network adds. */
  readonly carrierFeeMicroUsd: number;
  /** The day, in UTC, from which the rate holds, YYYY-MM-DD. */
  readonly effectiveFrom: string;
  readonly source: string;
}

/** What decides the rate; `at` in epoch milliseconds. */
export interface RateQuery {
  readonly country: string;
  readonly senderType: SenderType;
  readonly kind: 'sms' | 'mms';
  readonly at: number;
}

/** The estimated cost of one text in millionths of a US dollar: SMS by the segment, MMS by the message. */
export function costMicroUsd(
  query: RateQuery & { readonly segments: number },
  rates: readonly Rate[] = RATE_TABLE,
): number {
  const rate = rateAt(query, rates);
  const perUnit = rate.baseMicroUsd + rate.carrierFeeMicroUsd;
  return query.kind === 'mms' ? perUnit : query.segments * perUnit;
}

/** The same for many texts of one kind from one sender at one instant: a country's rate is looked up once. */
export function createCosts(
  query: Omit<RateQuery, 'country'>,
): (country: string, segments: number) => number {
  const perSegment = new Map<string, number>();
  return (country, segments) => {
    let known = perSegment.get(country);
    if (known === undefined) {
      known = costMicroUsd({ ...query, country, segments: 1 });
      perSegment.set(country, known);
    }
    return query.kind === 'mms' ? known : segments * known;
  };
}

/**
 * The rate in force: a row of the country before '*', of the sender type before '*', then the latest.
 * Throws a RangeError if the table has no row for the query at all.
 */
export function rateAt(query: RateQuery, rates: readonly Rate[] = RATE_TABLE): Rate {
  const day = new Date(query.at).toISOString().slice(0, 10);
  let best: Rate | null = null;
  for (const rate of rates) {
    if (rate.kind !== query.kind || rate.effectiveFrom > day) continue;
    if (rate.country !== '*' && rate.country !== query.country) continue;
    if (rate.senderType !== '*' && rate.senderType !== query.senderType) continue;
    if (best === null || precedes(rate, best)) best = rate;
  }
  if (best === null)
    throw new RangeError('No rate is in force; the table needs a row for every country (*).');
  return best;
}

function precedes(rate: Rate, other: Rate): boolean {
  if (rate.country !== other.country) return other.country === '*';
  if (rate.senderType !== other.senderType) return other.senderType === '*';
  return rate.effectiveFrom > other.effectiveFrom;
}

const SOURCE = "carrier's public price page, estimate; the callback's amount is booked";

/** List prices, for estimates. The rows for '*' hold from 1970 on, so that there is always an answer. */
export const RATE_TABLE: readonly Rate[] = [
  row('*', '*', 'sms', 80_000, 0, '1970-01-01'),
  row('*', '*', 'mms', 200_000, 0, '1970-01-01'),
  row('US', '*', 'sms', 7_700, 3_000, '2025-01-01'),
  row('US', 'toll_free', 'sms', 7_900, 3_000, '2025-01-01'),
  row('US', 'short_code', 'sms', 7_700, 3_500, '2025-01-01'),
  row('US', '*', 'mms', 18_000, 7_500, '2025-01-01'),
  row('US', 'toll_free', 'mms', 20_000, 7_500, '2025-01-01'),
  row('US', 'short_code', 'mms', 18_000, 10_000, '2025-01-01'),
  row('CA', '*', 'sms', 8_500, 5_500, '2025-01-01'),
  row('CA', 'short_code', 'sms', 8_500, 7_500, '2025-01-01'),
  row('CA', '*', 'mms', 20_000, 10_000, '2025-01-01'),
  row('GB', '*', 'sms', 48_600, 0, '2025-01-01'),
  row('DE', '*', 'sms', 105_000, 0, '2025-01-01'),
  row('AU', '*', 'sms', 50_500, 0, '2025-01-01'),
];

function row(
  country: string,
  senderType: Rate['senderType'],
  kind: Rate['kind'],
  baseMicroUsd: number,
  carrierFeeMicroUsd: number,
  effectiveFrom: string,
): Rate {
  return { country, senderType, kind, baseMicroUsd, carrierFeeMicroUsd, effectiveFrom, source: SOURCE };
}
