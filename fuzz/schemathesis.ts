import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, fileExists, fillCacheFolder } from '../dev/binary-cache.ts';
import { runTool, withProgress } from '../dev/run-tool.ts';
import type { OperationIds } from './operations.ts';

/** The version that `requirements.txt` pins with the hashes of all that it needs. */
const VERSION = '4.32.5';
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const REQUEST_TIMEOUT_S = 20;
const INSTALL_TIMEOUT_MS = 10 * 60_000;
/** Operations that answer with a stream of events. */
const STREAMS = ['followEvents', 'followCampaignEvents'];
/** What each answer is held to. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'ignored_auth',
];

/** The folder with Schemathesis and its packages, in the user's cache: fetched once, each file by its hash. */
export async function findSchemathesis(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(process.env), `schemathesis-${VERSION}`);
  if (await fileExists(folder)) return folder;
  await withProgress(`Installing Schemathesis ${VERSION}`, say, () =>
    fillCacheFolder(folder, async (draft) => {
      const args = ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--only-binary', ':all:'];
      await runTool({
        command: 'python3',
        args: [...args, '--target', draft, '--requirement', REQUIREMENTS],
        cwd: draft,
        env: process.env,
        timeoutMs: INSTALL_TIMEOUT_MS,
      });
    }),
  );
  return folder;
}

/** One run over the whole document. */
export interface FuzzRun {
  /** From `findSchemathesis`. */
  readonly program: string;
  readonly apiUrl: string;
  readonly key: string;
  /** For its configuration; written over by the next run. */
  readonly folder: string;
  readonly operations: readonly OperationIds[];
  readonly examplesMax: number;
  readonly timeMaxS: number;
  readonly seed: number;
}

/** Runs it with its report on the terminal. Resolves with 0 when nothing was found, else with 1. */
export async function fuzzWith(run: FuzzRun): Promise<number> {
  const config = join(run.folder, 'schemathesis.toml');
  await writeFile(config, configOf(run.operations));
  const options = {
    header: `Authorization: Bearer ${run.key}`,
    checks: CHECKS.join(','),
    'max-examples': run.examplesMax,
    'max-time': run.timeMaxS,
    seed: run.seed,
    'generation-database': 'none',
    // It cannot guess the numbers of contacts and the like; the tests know them.
    warnings: 'off',
    'request-timeout': REQUEST_TIMEOUT_S,
  };
  const args = ['-m', 'schemathesis.cli', '--config-file', config, 'run', `${run.apiUrl}/openapi.json`];
  args.push('--continue-on-failure', '--no-color');
  for (const [name, value] of Object.entries(options)) args.push(`--${name}`, String(value));
  const child = spawn('python3', args, {
    cwd: run.folder,
    env: { ...process.env, PYTHONPATH: run.program },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return code === 0 ? 0 : 1;
}

/** Operations whose ids are given, in Schemathesis' configuration; JSON strings are TOML strings, too. */
function configOf(operations: readonly OperationIds[]): string {
  const given = new Map<string, Record<string, string | boolean>>();
  // A stream that goes on for good has no answer that could be looked at.
  for (const operationId of STREAMS) given.set(operationId, { 'query.follow': false });
  for (const { operationId, ids } of operations) {
    const inPath = Object.entries(ids).map(([name, id]) => [`path.${name}`, id]);
    given.set(operationId, { ...given.get(operationId), ...Object.fromEntries(inPath) });
  }
  const blocks = [...given].map(([operationId, values]) => {
    const parameters = Object.entries(values).map(
      ([name, value]) => `${JSON.stringify(name)} = ${JSON.stringify(value)}`,
    );
    return [
      '[[operations]]',
      `include-operation-id = ${JSON.stringify(operationId)}`,
      `parameters = { ${parameters.join(', ')} }`,
    ].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}
