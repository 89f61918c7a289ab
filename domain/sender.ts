import { isE164 } from './phone-number.ts';

/**
 * What kind of line a sender is. It decides pace, price, registration and who handles opt-out words.
 * `10dlc` is a US ten-digit number registered for business texts, `long_code` any other ordinary number,
 * `alphanumeric` a name shown instead of a number, to which nobody can reply.
 */
export type SenderType = 'short_code' | 'toll_free' | '10dlc' | 'long_code' | 'alphanumeric';

/** All sender types, for schemas and tables. */
export const SENDER_TYPES = [
  'short_code',
  'toll_free',
  '10dlc',
  'long_code',
  'alphanumeric',
] as const satisfies readonly SenderType[];

const SHORT_CODE_PATTERN = /^\d{5,6}$/;
const SENDER_NAME_PATTERN = /^(?=.*[A-Za-z])(?=.*[A-Za-z0-9]$)[A-Za-z0-9][A-Za-z0-9 ._&+-]{0,10}$/;

/**
 * Whether the address suits the type: 5 or 6 digits for a short code, 1 to 11 characters with a letter for a
 * name (GSM 03.38 originator), else a number in E.164.
 */
export function isSenderAddress(type: SenderType, address: string): boolean {
  return ADDRESS_CHECKS[type](address);
}

const isShortCode = (address: string): boolean => SHORT_CODE_PATTERN.test(address);
const isSenderName = (address: string): boolean => SENDER_NAME_PATTERN.test(address);

const ADDRESS_CHECKS: Readonly<Record<SenderType, (address: string) => boolean>> = {
  short_code: isShortCode,
  alphanumeric: isSenderName,
  toll_free: isE164,
  '10dlc': isE164,
  long_code: isE164,
};
