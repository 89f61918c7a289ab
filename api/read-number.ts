import { findAccount } from '../db/accounts.ts';
import type { Trx } from '../db/database.ts';
import { numberHash } from '../db/number-hash.ts';
import { parsePhoneNumber } from '../domain/phone-number.ts';
import type { ApiDeps } from './deps.ts';
import { notFound, Problem } from './problem.ts';
import { numberError } from './views/contact-view.ts';

/** A number in E.164 with its keyed hash. */
export interface ReadNumber {
  readonly number: string;
  readonly hash: Buffer;
}

/** Reads a number of a body as the account's people write it. Throws a Problem when it cannot be texted. */
export async function readNumber(
  trx: Trx,
  deps: Pick<ApiDeps, 'hashKey'>,
  accountId: string,
  given: string,
): Promise<ReadNumber> {
  const account = await findAccount(trx, accountId);
  if (account === null) throw notFound('account');
  const parsed = parsePhoneNumber(given, account.defaultCountry);
  if (parsed.kind === 'invalid') {
    throw new Problem('not-acceptable-value', 'This is not a number that can be texted.', {
      errors: [numberError(parsed.reason)],
    });
  }
  return { number: parsed.number, hash: numberHash(deps.hashKey, parsed.number) };
}
