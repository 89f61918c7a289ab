import { describe, expect, it } from 'vitest';
import { type CarrierStanding, isAskedOfCarrier, persistsByCarrier } from '../../domain/carrier-standing.ts';
import { SUSPENSIONS } from '../../domain/suspension.ts';

const TEXT = 8_000;
const told = (creditMicroUsd: number | null, isEnabled = true): CarrierStanding => ({
  kind: 'told',
  creditMicroUsd,
  isEnabled,
});

describe('what still keeps a campaign from being resumed, by the word of its carrier', () => {
  it.each([
    ['credit for one text', told(TEXT), null],
    ['credit for less than one text', told(TEXT - 1), 'credit'],
    ['no credit', told(0), 'credit'],
    ['a bill afterwards', told(null), null],
    ['a disabled account, whatever its credit', told(1e9, false), 'carrier_disabled'],
    ['credentials that are not taken', { kind: 'refused' }, 'credentials'],
    ['an answer that tells nothing of accounts', { kind: 'untold' }, null],
    ['silence', { kind: 'silent', retryAfterMs: null }, 'carrier_silent'],
  ] as const)('%s', (_what, standing, persisting) => {
    expect(persistsByCarrier(standing, TEXT)).toBe(persisting);
  });

  it('is asked for only what nobody else can tell', () => {
    expect(Object.keys(SUSPENSIONS).filter(isAskedOfCarrier).toSorted()).toEqual([
      'carrier_disabled',
      'credentials',
      'credit',
    ]);
    expect(isAskedOfCarrier(null)).toBe(false);
  });
});
