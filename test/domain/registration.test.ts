import { describe, expect, test } from 'vitest';
import { isRegistered, lapsesAt, registrationNeed } from '../../domain/registration.ts';

const until = (registrationExpiresOn: string | null, registration = 'approved') => ({
  registration,
  registrationExpiresOn,
});
const at = (instant: string): number => Date.parse(instant);

describe('a registration', () => {
  test('counts until its last day in UTC is over, and without a last day for ever', () => {
    const sender = until('2027-01-31');
    expect(lapsesAt(sender)).toBe(at('2027-02-01T00:00:00Z'));
    expect(isRegistered(sender, at('2027-01-31T23:59:59.999Z'))).toBe(true);
    expect(isRegistered(sender, at('2027-02-01T00:00:00Z'))).toBe(false);
    expect(lapsesAt(until(null))).toBeNull();
    expect(isRegistered(until(null), at('2999-01-01T00:00:00Z'))).toBe(true);
  });

  test.each(['pending', 'lapsed'])('that is %s counts on no day', (registration) => {
    expect(isRegistered(until('2027-01-31', registration), at('2027-01-01T00:00:00Z'))).toBe(false);
    expect(isRegistered(until(null, registration), at('2027-01-01T00:00:00Z'))).toBe(false);
  });

  test.each([
    ['2027-01-17T23:59:59Z', 'nothing'],
    ['2027-01-18T00:00:00Z', 'soon'],
    ['2027-01-31T23:59:59Z', 'soon'],
    ['2027-02-01T00:00:00Z', 'now'],
  ])('at %s needs somebody: %s', (instant, need) => {
    expect(registrationNeed(until('2027-01-31'), at(instant))).toBe(need);
  });

  test('needs nobody while it is pending or without a last day, and somebody at once after it, marked or not', () => {
    expect(registrationNeed(until('2027-01-31', 'pending'), at('2027-03-01T00:00:00Z'))).toBe('nothing');
    expect(registrationNeed(until(null), at('2027-03-01T00:00:00Z'))).toBe('nothing');
    expect(registrationNeed(until('2027-01-31', 'lapsed'), at('2027-03-01T00:00:00Z'))).toBe('now');
    expect(registrationNeed(until('2027-01-31', 'lapsed'), at('2027-01-30T00:00:00Z'))).toBe('nothing');
  });
});
