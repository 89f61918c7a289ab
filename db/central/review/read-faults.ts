import type { PartWarning } from '../../../domain/central/part-review.ts';
import type { Trx } from '../../database.ts';
import { listPresetAccounts } from '../../presets/accounts.ts';
import { PRESET_ACCOUNTS_MAX } from '../../../domain/preset.ts';

/** An account of a preset or a restart with what is wrong with it. */
export interface FaultyAccount {
  /** Null of one that is not the parent's any more. */
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly codes: readonly PartWarning[];
}

/**
 * The accounts of a preset with which something is wrong at the instant, by their ids; or of those that a restart of a
 * launched campaign concerns.
 */
export async function readFaults(
  trx: Trx,
  presetOrCampaignId: string,
  at: number,
): Promise<ReadonlyMap<string, FaultyAccount>> {
  const { items } = await listPresetAccounts(trx, presetOrCampaignId, at, {
    faulty: true,
    offset: 0,
    limit: PRESET_ACCOUNTS_MAX,
  });
  return new Map(
    items.map(({ accountId, name, timeZone, faults }) => [accountId, { name, timeZone, codes: faults }]),
  );
}
