import type { Static } from 'typebox';
import type { Account, AccountSettings, NewAccount } from '../../db/accounts.ts';
import { affixFault } from '../../domain/affixes.ts';
import { isCountry } from '../../domain/phone-number.ts';
import { isQuietHours } from '../../domain/quiet-hours.ts';
import { isTimeZone } from '../../domain/zoned-time.ts';
import { type FieldError, Problem } from '../problem.ts';
import type { AccountChanges, AccountInput, AccountOutput } from '../schemas/account-schemas.ts';

/** An account as it is shown. */
export function accountView(account: Account): Static<typeof AccountOutput> {
  return {
    id: account.id,
    name: account.name,
    timeZone: account.timeZone,
    senderName: account.senderName,
    quietHours: { start: account.quietStart, end: account.quietEnd },
    defaultCountry: account.defaultCountry,
    countries: [...account.countries],
    spendLimit:
      account.spendLimitMicroUsd === null
        ? null
        : { amountMicro: account.spendLimitMicroUsd, currency: 'USD' },
    prefix: account.prefix,
    suffix: account.suffix,
    reviewRequired: account.reviewRequired,
    reviewTolerancePercent: account.reviewTolerancePercent,
    resendAbsent: account.resendAbsent,
    parentId: account.parentId,
    defaultSenderId: account.defaultSenderId,
    centralSend: account.centralSend,
    disabledAt: account.disabledAt?.toISOString() ?? null,
    disabledReason: account.disabledReason,
    createdAt: account.createdAt.toISOString(),
  };
}

/** The same as the database takes a new one. Throws a Problem that names each field. */
export function toNewAccount(input: Static<typeof AccountInput>): NewAccount {
  return {
    ...toAccountSettings(input),
    name: input.name,
    timeZone: input.timeZone,
    senderName: input.senderName,
    defaultCountry: input.defaultCountry,
    countries: input.countries ?? [input.defaultCountry],
  };
}

/** Checks what a schema cannot, and gives it as the database takes it. Throws a Problem that names each field. */
export function toAccountSettings(input: AccountChanges): AccountSettings {
  checkSettings(input);
  const { quietHours, spendLimit, ...rest } = input;
  return {
    ...rest,
    ...(quietHours === undefined ? {} : { quietStart: quietHours.start, quietEnd: quietHours.end }),
    ...(spendLimit === undefined ? {} : { spendLimitMicroUsd: spendLimit?.amountMicro ?? null }),
  };
}

function checkSettings(input: AccountChanges): void {
  const errors: FieldError[] = [];
  if (input.timeZone !== undefined && !isTimeZone(input.timeZone)) {
    errors.push({ pointer: '/timeZone', message: 'Give an IANA time zone, such as America/New_York.' });
  }
  if (input.quietHours !== undefined && !isQuietHours(input.quietHours)) {
    errors.push({ pointer: '/quietHours', message: 'Give start and end as HH:MM, such as 20:00 and 08:00.' });
  }
  if (input.defaultCountry !== undefined && !isCountry(input.defaultCountry)) {
    errors.push({
      pointer: '/defaultCountry',
      message: 'Give a country as two letters of ISO 3166, such as US.',
    });
  }
  for (const [index, country] of (input.countries ?? []).entries()) {
    if (!isCountry(country)) {
      errors.push({ pointer: `/countries/${index}`, message: 'Give a country as two letters of ISO 3166.' });
    }
  }
  for (const field of ['prefix', 'suffix'] as const) {
    const fault = affixFault(input[field] ?? '');
    if (fault !== null) errors.push({ pointer: `/${field}`, message: fault });
  }
  if (errors.length > 0)
    throw new Problem('not-acceptable-value', 'Some settings are not acceptable.', { errors });
}
