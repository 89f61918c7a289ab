import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Another process uses the same home folder; the message names it. */
export class HomeInUseError extends Error {
  override readonly name = 'HomeInUseError';
}

/** The right to use a home folder. */
export interface HomeLock {
  /** Gives it back before the process ends. */
  release(): Promise<void>;
}

/**
 * Makes this process the only one that uses a home folder, until it releases the lock or ends, in whatever way.
 * Throws a HomeInUseError that names the holder.
 *
 * Locks are numbered, and the highest whose holder lives counts. A lock is made by linking, which fails when the
 * number is taken; nothing is ever removed that might be somebody's. So two that find the same dead holder
 * cannot both follow him.
 */
export async function lockHome(home: string): Promise<HomeLock> {
  const folder = join(home, 'lock');
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new Error('This process cannot find itself among the running ones.');
  const draft = join(folder, `draft-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, JSON.stringify(self));
  try {
    for (;;) {
      const newest = (await lockNumbers(folder)).at(-1) ?? 0;
      const holder = await readHolder(join(folder, String(newest)));
      if (holder !== undefined && isRunning(holder)) throw inUse(home, holder);
      if (await linked(draft, join(folder, String(newest + 1)))) {
        const mine = join(folder, String(newest + 1));
        if (await isHighest(folder, newest + 1)) return { release: () => release(mine) };
        await rm(mine, { force: true });
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** A released lock stays, without a holder: if it went, its number could be taken a second time. */
async function release(path: string): Promise<void> {
  await writeFile(`${path}.released`, '');
  await rename(`${path}.released`, path);
}

/** Our lock counts if nobody has made a higher one meanwhile; lower ones have no say any more. */
async function isHighest(folder: string, number: number): Promise<boolean> {
  const numbers = await lockNumbers(folder);
  if (numbers.at(-1) !== number) return false;
  const lower = numbers.filter((other) => other < number);
  await Promise.all(lower.map((other) => rm(join(folder, String(other)), { force: true })));
  return true;
}

async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

async function readHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof holder !== 'object' || holder === null) return undefined;
    if (!('pid' in holder) || !('startedAt' in holder)) return undefined;
    return { pid: Number(holder.pid), startedAt: String(holder.startedAt) };
  } catch {
    return undefined;
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function inUse(home: string, holder: ProcessIdentity): HomeInUseError {
  return new HomeInUseError(
    `Process ${holder.pid} already uses the data in ${home}. End it first, or set CARILLON_HOME to another folder.`,
  );
}
