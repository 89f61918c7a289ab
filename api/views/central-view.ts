import { countParts, findCentralSend } from '../../db/central/central-sends.ts';
import { readPresetSize } from '../../db/central/preset-size.ts';
import type { Campaign } from '../../db/campaigns.ts';
import type { Trx } from '../../db/database.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import { PART_STATES } from '../../domain/central/part-states.ts';

/**
 * What a central campaign has instead of a report: to how many accounts it goes, and how many of their parts are in each
 * state. Null for any other campaign.
 */
export async function readCentralView(trx: Trx, campaign: Campaign) {
  if (roleOf(campaign) !== 'central') return null;
  const central = await findCentralSend(trx, campaign.id);
  if (central === null) throw new Error(`The central campaign ${campaign.id} has no row of its own.`);
  const { presetId, presetName, timing, isFixed } = central;
  const parts = isFixed ? await countParts(trx, campaign.id) : null;
  const states = Object.fromEntries(PART_STATES.map((state) => [state, parts?.get(state) ?? 0]));
  const accounts =
    parts === null
      ? await readPresetSize(trx, presetId)
      : [...parts.values()].reduce((sum, count) => sum + count, 0);
  return { presetId, presetName, timing, accounts, states: { ...states } };
}
