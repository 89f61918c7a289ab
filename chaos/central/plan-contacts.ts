import { numbersOf } from '../../dev/sending-account.ts';

/** Somebody on a sub-account's list. His name says whose contact he is, so a text of another's row shows. */
export interface PlannedContact {
  readonly number: string;
  readonly firstName: string;
}

const AREAS = ['415', '212', '305', '312', '512', '602', '617', '702'];
/** The sandbox's magic numbers begin at 9000. */
const NUMBERS_OF_AREA = 9_000;
/** The most contacts of all accounts together. */
export const CONTACTS_MAX = AREAS.length * NUMBERS_OF_AREA;
/** One of so many contacts of an account is a contact of others, too, and one at least where there are two. */
const SHARED_EVERY = 4;
/** So many accounts have the same shared number. */
const ACCOUNTS_OF_NUMBER = 4;

/**
 * So many contacts over so many accounts, as evenly as can be. Nobody is twice with one account; some people are contacts
 * of several, under another name with each.
 */
export function planContacts(accounts: number, contacts: number): PlannedContact[][] {
  const numbers = AREAS.flatMap((area) => numbersOf(area, NUMBERS_OF_AREA));
  const sizes = Array.from({ length: accounts }, (_, index) => Math.floor((contacts + index) / accounts));
  const shares = sizes.map((size) => (size < 2 ? 0 : Math.max(1, Math.floor(size / SHARED_EVERY))));
  const pool = Math.max(
    ...shares,
    Math.ceil(shares.reduce((sum, share) => sum + share, 0) / ACCOUNTS_OF_NUMBER),
  );
  let nextShared = 0;
  let nextOwn = pool;
  return sizes.map((size, account) =>
    Array.from({ length: size }, (_, place) => {
      const isShared = place < (shares[account] ?? 0);
      const number = numbers[isShared ? nextShared++ % pool : nextOwn++] ?? '';
      return { number, firstName: `Name${place}of${account}` };
    }),
  );
}

/** The numbers that are contacts of more than one account. */
export function sharedNumbers(planned: readonly (readonly PlannedContact[])[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { number } of planned.flat()) (seen.has(number) ? shared : seen).add(number);
  return shared;
}
