import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A downloaded file is not the one that was pinned: it is refused, whoever served it. */
export class WrongHashError extends Error {
  override readonly name = 'WrongHashError';
}

/** Where downloaded programs are kept, outside the checkout, so that a fresh clone does not fetch them again. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  return join(base.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.cache'), 'carillon');
}

/** Throws a WrongHashError unless the file has exactly this SHA-256 (hexadecimal). */
export async function verifySha256(path: string, expected: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const actual = hash.digest('hex');
  if (actual !== expected) {
    throw new WrongHashError(`${path} has the SHA-256 ${actual}, but ${expected} is pinned: it is refused.`);
  }
}

/**
 * Fills a folder of the cache in one step: `fill` works on a draft beside it, which takes its name when complete.
 * Two runs at a time do not meet; the first to finish wins and the other uses what the first made.
 */
export async function fillCacheFolder(folder: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${folder}.draft-${randomBytes(6).toString('hex')}`;
  await mkdir(draft, { recursive: true });
  try {
    await fill(draft);
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!(await fileExists(folder))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Whether there is something at this path. */
export async function fileExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
