import { type DispatchAccount, seedDispatchAccount } from './dispatch-data.ts';
import type { DispatchPlace } from './dispatch-place.ts';

/** Accounts with a list each: to warm up with, of a few, of many. */
export interface SizedAccounts {
  readonly warmUp: DispatchAccount;
  readonly few: DispatchAccount;
  readonly many: DispatchAccount;
}

/** What a campaign of many is measured against; fewer where there are not ten times as many. */
const FEW_MAX = 100_000;
const FEW_SHARE_MAX = 0.1;
/** Before anything is measured a worker has sent so many, since code that has just begun to run is slow. */
const WARM_UP = 20_000;

/** Makes these accounts, `many` contacts in the largest. */
export async function seedSizedAccounts(place: DispatchPlace, many: number): Promise<SizedAccounts> {
  const few = Math.min(FEW_MAX, Math.ceil(many * FEW_SHARE_MAX));
  const seed = (contacts: number) => seedDispatchAccount(place.db, place.databaseUrl, contacts);
  return {
    warmUp: await seed(Math.min(WARM_UP, few)),
    few: await seed(few),
    many: await seed(many),
  };
}
