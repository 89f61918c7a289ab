import { type Static, Type } from 'typebox';
import { lockAccount } from '../../db/accounts.ts';
import { type Trx, withAccount, withAccountReading } from '../../db/database.ts';
import {
  countPresets,
  deletePreset,
  findPreset,
  insertPreset,
  listPresets,
  PRESET_SORTS,
  type Preset,
  renamePreset,
} from '../../db/presets.ts';
import { countPresetAccounts, type PresetCounts } from '../../db/presets/accounts.ts';
import { PRESETS_MAX } from '../../domain/preset.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { brokenUniqueRule } from '../errors.ts';
import { setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { orderIn } from '../list-query.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { lockForChange } from '../preset-change.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { requireCentralSend } from '../require-central-send.ts';
import { idParams } from '../schemas/common.ts';
import { PresetInput, PresetOutput, PresetQuery } from '../schemas/preset-schemas.ts';

const params = idParams('pre');
const EMPTY: PresetCounts = { accounts: 0, lists: 0, faulty: 0 };

/** Presets: which lists of which sub-accounts a parent sends to. */
export function registerPresetRoutes(api: Api, deps: ApiDeps): void {
  registerReads(api, deps);

  api.post(
    '/v1/presets',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'createPreset',
        summary: 'Create a preset',
        description: `A name for lists of sub-accounts, to which the parent sends together. An account has ${PRESETS_MAX} at most.`,
        tags: ['central-send'],
        body: PresetInput,
        response: { 201: PresetOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        await requireCentralSend(trx, accountId);
        // The lock makes two who create at once count each other.
        await lockAccount(trx, accountId);
        if ((await countPresets(trx)) >= PRESETS_MAX) {
          throw new Problem(
            'not-acceptable-value',
            `An account has ${PRESETS_MAX} presets at most. Delete one that is not needed any more first.`,
          );
        }
        const preset = await insertPreset(trx, accountId, request.body.name.trim());
        if (preset === null) throw presetNameTaken();
        const { id, name } = preset;
        await logChange(trx, request.caller, { kind: 'preset', id }, { what: 'create', to: { name } });
        return { status: 201, body: viewOf(preset, EMPTY) };
      });
      return body;
    },
  );

  api.patch(
    '/v1/presets/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'updatePreset',
        summary: 'Rename a preset',
        tags: ['central-send'],
        params,
        body: PresetInput,
        response: { 200: PresetOutput, ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { preset, counts } = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const before = await lockForChange(trx, request, id);
        await renamePreset(trx, id, request.body.name.trim()).catch(renamedLikeAnother);
        const after = await read(trx, id, deps.now());
        const states = { before: { name: before.name }, after: { name: after.preset.name } };
        await logUpdate(trx, request.caller, { kind: 'preset', id }, states);
        return after;
      });
      setEtag(reply, preset.version);
      return viewOf(preset, counts);
    },
  );

  api.delete(
    '/v1/presets/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'deletePreset',
        summary: 'Delete a preset',
        description:
          'Its name is free again. What was launched to it goes on: it has its own copy of the pairs.',
        tags: ['central-send'],
        params,
        response: { 204: Type.Null(), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const { name } = await lockForChange(trx, request, id);
        await deletePreset(trx, id);
        await logChange(trx, request.caller, { kind: 'preset', id }, { what: 'delete', from: { name } });
      });
      return reply.code(204).send(null);
    },
  );
}

function registerReads(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/presets',
    {
      schema: {
        operationId: 'listPresets',
        summary: 'List presets',
        description: 'With how many sub-accounts and lists each has, and with how many something is wrong.',
        tags: ['central-send'],
        querystring: PresetQuery,
        response: { 200: pageOf(PresetOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...orderIn(PRESET_SORTS, 'asc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, async (trx) => {
        const listed = await listPresets(trx, query);
        const ids = listed.items.map(({ id }) => id);
        const counts = await countPresetAccounts(trx, ids, deps.now());
        return { ...listed, items: listed.items.map((one) => viewOf(one, counts.get(one.id) ?? EMPTY)) };
      });
      return toPage(items, total, range);
    },
  );

  api.get(
    '/v1/presets/:id',
    {
      schema: {
        operationId: 'getPreset',
        summary: 'Read a preset',
        description: 'With how many sub-accounts and lists it has, and with how many something is wrong.',
        tags: ['central-send'],
        params,
        response: { 200: PresetOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { preset, counts } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        read(trx, request.params.id, deps.now()),
      );
      setEtag(reply, preset.version);
      return viewOf(preset, counts);
    },
  );
}

async function read(
  trx: Trx,
  id: string,
  at: number,
): Promise<{ readonly preset: Preset; readonly counts: PresetCounts }> {
  const preset = await findPreset(trx, id);
  if (preset === null) throw notFound('preset');
  const counts = await countPresetAccounts(trx, [id], at);
  return { preset, counts: counts.get(id) ?? EMPTY };
}

function renamedLikeAnother(error: unknown): never {
  throw brokenUniqueRule(error) === 'presets_name' ? presetNameTaken() : error;
}

function presetNameTaken(): Problem {
  return new Problem('name-taken', 'A preset of this account has this name. Choose another.', {
    errors: [{ pointer: '/name', message: 'Another preset has this name, whatever its case.' }],
  });
}

function viewOf(preset: Preset, counts: PresetCounts): Static<typeof PresetOutput> {
  const { id, name, version, createdAt } = preset;
  return { id, name, ...counts, version, createdAt: createdAt.toISOString() };
}
