import { ASKING_TIMES, type AskingTimes, fasterAsking } from '../domain/carrier-list.ts';

const FACTOR_MAX = 10_000;

/**
 * When the carrier's list is asked. A number in CARILLON_ASK_FASTER makes it so many times as fast, for tests of hours
 * in seconds, so only with the sandbox carrier. Throws on anything else.
 */
export function askingTimesOf(setting: string | undefined, carrier: 'sandbox' | 'plivo'): AskingTimes {
  if (setting === undefined || setting === '') return ASKING_TIMES;
  if (carrier !== 'sandbox')
    throw new Error('CARILLON_ASK_FASTER works with CARRIER=sandbox only; unset it.');
  const factor = Number(setting);
  if (!(factor >= 1 && factor <= FACTOR_MAX)) {
    throw new Error(`CARILLON_ASK_FASTER has to be a number from 1 to ${FACTOR_MAX}.`);
  }
  return fasterAsking(ASKING_TIMES, factor);
}
