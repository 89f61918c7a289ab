import type { Static } from 'typebox';
import { withAccountReading } from '../../db/database.ts';
import { findPreset } from '../../db/presets.ts';
import { listPresetAccounts, type PresetAccount } from '../../db/presets/accounts.ts';
import {
  addPairs,
  type Pair,
  type PairVerdict,
  raisePresetVersion,
  removePairs,
} from '../../db/presets/pairs.ts';
import { PAIR_REFUSALS } from '../../domain/import/pair-file.ts';
import { PRESET_FAULTS } from '../../domain/preset.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { logChange } from '../log-change.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { finishAdding, lockForChange, PRESET_LIMITS, refusalOf } from '../preset-change.ts';
import { type FieldError, notFound, Problem, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import {
  AddedPairsOutput,
  PairsInput,
  PresetAccountOutput,
  PresetAccountQuery,
  RemovedPairsOutput,
} from '../schemas/preset-schemas.ts';

const params = idParams('pre');

/** The pairs of presets: what is in them, and what is wrong with it. */
export function registerPresetPairRoutes(api: Api, deps: ApiDeps): void {
  registerAccounts(api, deps);
  registerChanges(api, deps);
}

function registerAccounts(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/presets/:id/accounts',
    {
      schema: {
        operationId: 'listPresetAccounts',
        summary: 'List the sub-accounts of a preset',
        description:
          'With their lists in it, and what is wrong with each of them. By name; those that have left come last.',
        tags: ['central-send'],
        params,
        querystring: PresetAccountQuery,
        response: { 200: pageOf(PresetAccountOutput), ...problems(404) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const range = rangeOf(request.query);
      const { q, faulty } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...(faulty === undefined ? {} : { faulty }),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, async (trx) => {
        if ((await findPreset(trx, id)) === null) throw notFound('preset');
        return listPresetAccounts(trx, id, deps.now(), query);
      });
      return toPage(items.map(viewOf), total, range);
    },
  );
}

function registerChanges(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/presets/:id/pairs',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'addPairs',
        summary: 'Add lists of sub-accounts to a preset',
        description: `All of them or none; what is in it already stays. ${PRESET_LIMITS} Whoever is on several lists of a sub-account is texted once by it.`,
        tags: ['central-send'],
        params,
        body: PairsInput,
        response: { 200: AddedPairsOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const preset = await lockForChange(trx, request, request.params.id);
        const pairs = request.body.pairs.map(toPair);
        const verdicts = await addPairs(trx, preset.id, pairs);
        refuseUnknown(verdicts);
        return {
          status: 200,
          body: await finishAdding(trx, request, preset, verdicts, { what: 'add_pairs' }),
        };
      });
      return body;
    },
  );

  api.post(
    '/v1/presets/:id/pairs/remove',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'removePairs',
        summary: 'Take lists of sub-accounts out of a preset',
        description: 'All of them or none.',
        tags: ['central-send'],
        params,
        body: PairsInput,
        response: { 200: RemovedPairsOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const { id } = await lockForChange(trx, request, request.params.id);
        const pairs = request.body.pairs.map(toPair);
        const missing = await removePairs(trx, id, pairs);
        if (missing.length > 0) throw notInPreset(missing);
        const removed = new Set(pairs.map(({ account, list }) => `${account} ${list}`)).size;
        const version = await raisePresetVersion(trx, id);
        const line = { what: 'remove_pairs', detail: { removed } };
        await logChange(trx, request.caller, { kind: 'preset', id }, line);
        return { status: 200, body: { removed, version } };
      });
      return body;
    },
  );
}

/** Throws a Problem that points at each pair that names what the account, or the sub-account, has not got. */
function refuseUnknown(verdicts: readonly PairVerdict[]): void {
  const errors = verdicts.flatMap((verdict, place): FieldError[] => {
    const reason = refusalOf(verdict);
    if (reason === null) return [];
    const field = verdict === 'no_list' ? 'listId' : 'accountId';
    return [{ pointer: `/pairs/${place}/${field}`, message: PAIR_REFUSALS[reason], code: reason }];
  });
  if (errors.length === 0) return;
  throw new Problem(
    'unknown-reference',
    'Some pairs name no sub-account of this account, or no list of theirs; none was added.',
    { errors },
  );
}

function notInPreset(places: readonly number[]): Problem {
  const message = 'Name a pair of this preset, as GET .../accounts shows them.';
  return new Problem('unknown-reference', 'Some pairs are not in the preset; none was taken out.', {
    errors: places.map((place) => ({ pointer: `/pairs/${place}`, message })),
  });
}

function toPair({ accountId, listId }: Static<typeof PairsInput>['pairs'][number]): Pair {
  return { account: accountId, list: listId };
}

function viewOf(account: PresetAccount): Static<typeof PresetAccountOutput> {
  const { accountId, name, timeZone, lists, faults } = account;
  return {
    accountId,
    name,
    timeZone,
    lists: lists.map((list) => ({ ...list })),
    faults: faults.map((code) => ({ code, message: PRESET_FAULTS[code] })),
  };
}
