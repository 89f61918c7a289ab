import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costMicroUsd, RATE_TABLE, rateAt } from '../../domain/rates.ts';
import type { Rate } from '../../domain/rates.ts';
import { SENDER_TYPES } from '../../domain/sender.ts';

const at = Date.parse('2025-06-01T12:00:00Z');

function rate(fields: Partial<Rate>): Rate {
  return {
    country: '*',
    senderType: '*',
    kind: 'sms',
    baseMicroUsd: 1,
    carrierFeeMicroUsd: 0,
    effectiveFrom: '1970-01-01',
    source: 'test',
    ...fields,
  };
}

describe('cost', () => {
  test('an SMS costs segments times base and fee, an MMS once', () => {
    const rates = [
      rate({ baseMicroUsd: 7_000, carrierFeeMicroUsd: 3_000 }),
      rate({ kind: 'mms', baseMicroUsd: 20_000, carrierFeeMicroUsd: 5_000 }),
    ];
    const query = { country: 'US', senderType: '10dlc', segments: 3, at } as const;
    expect(costMicroUsd({ ...query, kind: 'sms' }, rates)).toBe(30_000);
    expect(costMicroUsd({ ...query, kind: 'mms' }, rates)).toBe(25_000);
    expect(costMicroUsd({ ...query, kind: 'sms', segments: 0 }, rates)).toBe(0);
  });

  test('every country and sender type has a price, a whole number above zero', () => {
    const country = fc.oneof(fc.constantFrom('US', 'CA', 'GB', 'DE', 'AU'), fc.stringMatching(/^[A-Z]{2}$/));
    fc.assert(
      fc.property(
        country,
        fc.constantFrom(...SENDER_TYPES),
        fc.constantFrom('sms' as const, 'mms' as const),
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        (code, senderType, kind, segments, instant) => {
          const cost = costMicroUsd({ country: code, senderType, kind, segments, at: instant });
          expect(Number.isSafeInteger(cost) && cost > 0).toBe(true);
        },
      ),
    );
  });
});

describe('the rate in force', () => {
  const rates = [
    rate({ baseMicroUsd: 1 }),
    rate({ senderType: 'short_code', baseMicroUsd: 2, effectiveFrom: '2025-05-01' }),
    rate({ country: 'US', baseMicroUsd: 3 }),
    rate({ country: 'US', baseMicroUsd: 4, effectiveFrom: '2025-06-01' }),
    rate({ country: 'US', baseMicroUsd: 5, effectiveFrom: '2025-06-02' }),
    rate({ country: 'US', senderType: 'toll_free', baseMicroUsd: 6 }),
  ];
  test.each([
    ['the country before the rest', 'US', '10dlc', '2025-05-31T23:59:59Z', 3],
    ['from its first day on', 'US', '10dlc', '2025-06-01T00:00:00Z', 4],
    ['the latest', 'US', '10dlc', '2030-01-01T00:00:00Z', 5],
    ['the sender type before the latest', 'US', 'toll_free', '2030-01-01T00:00:00Z', 6],
    ['the rest', 'FR', '10dlc', '2025-06-01T00:00:00Z', 1],
    ['the country before the sender type', 'US', 'short_code', '2025-05-02T00:00:00Z', 3],
    ['the sender type among the rest', 'FR', 'short_code', '2025-05-02T00:00:00Z', 2],
  ] as const)('%s', (_name, country, senderType, instant, expected) => {
    const query = { country, senderType, kind: 'sms', at: Date.parse(instant) } as const;
    expect(rateAt(query, rates).baseMicroUsd).toBe(expected);
    expect(rateAt(query, rates.toReversed()).baseMicroUsd).toBe(expected);
  });

  test('a table without an answer is an error, not a free text', () => {
    expect(() => rateAt({ country: 'US', senderType: '10dlc', kind: 'mms', at }, rates)).toThrow(RangeError);
  });

  test('no two rows of the table contradict each other', () => {
    const keys = RATE_TABLE.map((row) =>
      [row.country, row.senderType, row.kind, row.effectiveFrom].join(' '),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});
