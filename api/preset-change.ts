import type { FastifyRequest } from 'fastify';
import type { Trx } from '../db/database.ts';
import { lockPreset, type Preset } from '../db/presets.ts';
import { measurePreset, type PairVerdict, raisePresetVersion } from '../db/presets/pairs.ts';
import type { PairRefusal } from '../domain/import/pair-file.ts';
import {
  oversizeOf,
  PRESET_ACCOUNTS_MAX,
  PRESET_LISTS_OF_ACCOUNT_MAX,
  PRESET_PAIRS_MAX,
} from '../domain/preset.ts';
import { checkIfMatch } from './etag.ts';
import { logChange } from './log-change.ts';
import { notFound, Problem } from './problem.ts';
import { requireCentralSend } from './require-central-send.ts';

/** How large a preset may be, as a sentence. */
export const PRESET_LIMITS = `A preset has at most ${PRESET_ACCOUNTS_MAX} sub-accounts, ${PRESET_LISTS_OF_ACCOUNT_MAX} lists of each and ${PRESET_PAIRS_MAX} pairs.`;

/** The preset, locked for a change that its version and Central Send allow. Throws a Problem where they do not. */
export async function lockForChange(trx: Trx, request: FastifyRequest, id: string): Promise<Preset> {
  return checkChange(trx, request, await lockPreset(trx, id));
}

/** The same for what was found of a preset. */
export async function checkChange(trx: Trx, request: FastifyRequest, preset: Preset | null): Promise<Preset> {
  if (preset === null) throw notFound('preset');
  checkIfMatch(request, preset.version);
  await requireCentralSend(trx, request.caller.accountId);
  return preset;
}

/** Why a pair was not added; null for one that is in the preset. */
export function refusalOf(verdict: PairVerdict): PairRefusal | null {
  return REFUSALS[verdict];
}

const REFUSALS: Readonly<Record<PairVerdict, PairRefusal | null>> = {
  added: null,
  known: null,
  foreign_account: 'unknown_account',
  ambiguous_account: 'ambiguous_account',
  no_list: 'unknown_list',
};

/** Counts what was added, refuses a preset that has become too large, and leaves a line if it has changed at all. */
export async function finishAdding(
  trx: Trx,
  { caller }: FastifyRequest,
  preset: Preset,
  verdicts: readonly PairVerdict[],
  line: { readonly what: string; readonly detail?: Readonly<Record<string, unknown>> },
): Promise<{ readonly added: number; readonly known: number; readonly version: number }> {
  const added = verdicts.filter((verdict) => verdict === 'added').length;
  const known = verdicts.filter((verdict) => verdict === 'known').length;
  if (added === 0) return { added, known, version: preset.version };
  const oversize = oversizeOf(await measurePreset(trx, preset.id));
  if (oversize !== null) throw new Problem('not-acceptable-value', `${oversize} Nothing was added.`);
  const version = await raisePresetVersion(trx, preset.id);
  const detail = { added, known, ...line.detail };
  await logChange(trx, caller, { kind: 'preset', id: preset.id }, { what: line.what, detail });
  return { added, known, version };
}
