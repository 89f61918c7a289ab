import type { Static } from 'typebox';
import { withAccount, withAccountReading } from '../../db/database.ts';
import { findPreset } from '../../db/presets.ts';
import { addPairs } from '../../db/presets/pairs.ts';
import { PAIR_REFUSALS, type RefusedPair } from '../../domain/import/pair-file.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { setEtag } from '../etag.ts';
import { PAIRS_FILE_BYTES_MAX, pairsTooLarge, readPairs } from '../pairs-upload.ts';
import { checkChange, finishAdding, lockForChange, PRESET_LIMITS, refusalOf } from '../preset-change.ts';
import { Problem, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { ImportedPairsOutput } from '../schemas/preset-schemas.ts';

/** So many refused rows of a file are told. */
const REFUSED_SHOWN_MAX = 1_000;

/** Pairs of presets from a file. */
export function registerPairImportRoute(api: Api, deps: ApiDeps): void {
  // The content's type says nothing reliable about a file, so every type is taken, and none is read into memory.
  api.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    addImport(scope, deps);
  });
}

function addImport(api: Api, deps: ApiDeps): void {
  api.put(
    '/v1/presets/:id/pairs.csv',
    {
      config: { scope: 'write', takesFile: true },
      schema: {
        operationId: 'importPairs',
        summary: 'Add the pairs of a CSV file to a preset',
        description: `The file itself as the body, in UTF-8 and ${PAIRS_FILE_BYTES_MAX / 1_000_000} MB at most. Its first row names the columns account and list; each row gives a sub-account and a list of it, by its id or by its name where that is the only one. Rows that name neither are told and left out, all others added; what is in the preset already stays. ${PRESET_LIMITS}`,
        tags: ['central-send'],
        params: idParams('pre'),
        response: { 200: ImportedPairsOutput, ...problems(404, 412, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { id } = request.params;
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
        throw new Problem('unsupported-media-type', 'Send the file without Content-Encoding.');
      }
      // What is plainly refused is so before the file is read, which nothing may wait for in a transaction.
      await withAccountReading(deps.db, accountId, async (trx) =>
        checkChange(trx, request, await findPreset(trx, id)),
      );
      if (Number(request.headers['content-length'] ?? 0) > PAIRS_FILE_BYTES_MAX) throw pairsTooLarge();
      const { rows, refused } = await readPairs(request.raw);
      const imported = await withAccount(deps.db, accountId, async (trx) => {
        const preset = await lockForChange(trx, request, id);
        const verdicts = await addPairs(trx, preset.id, rows);
        const unknown = rows.flatMap(({ line }, place) => {
          const reason = refusalOf(verdicts[place] ?? 'known');
          return reason === null ? [] : [{ line, reason }];
        });
        const all = [...refused, ...unknown].toSorted((one, other) => one.line - other.line);
        const line = { what: 'import_pairs', detail: { refused: all.length } };
        return { ...(await finishAdding(trx, request, preset, verdicts, line)), refused: all };
      });
      setEtag(reply, imported.version);
      return {
        ...imported,
        refused: imported.refused.slice(0, REFUSED_SHOWN_MAX).map(shown),
        refusedRows: imported.refused.length,
      };
    },
  );
}

function shown({ line, reason }: RefusedPair): Static<typeof ImportedPairsOutput>['refused'][number] {
  return { line, reason, message: PAIR_REFUSALS[reason] };
}
