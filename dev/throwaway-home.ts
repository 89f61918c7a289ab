import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOutsidePlace } from './postgres-place.ts';

/** A temporary folder that embedded parts keep their data in. */
export interface ThrowawayHome {
  readonly path: string;
  /** Removes it with everything that its PostgreSQL keeps elsewhere. Its parts have to be stopped before. */
  readonly remove: () => Promise<void>;
}

/** Makes a folder of its own; `use` is a part of its name. */
export async function makeThrowawayHome(use: string): Promise<ThrowawayHome> {
  const path = await mkdtemp(join(tmpdir(), `carillon-${use}-`));
  // The database server's user has to get in when this runs as root.
  await chmod(path, 0o711);
  return {
    path,
    remove: async () => {
      await removeOutsidePlace(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Works in such a folder, which is gone afterwards. */
export async function inThrowawayHome<Result>(
  use: string,
  work: (home: string) => Promise<Result>,
): Promise<Result> {
  const home = await makeThrowawayHome(use);
  try {
    return await work(home.path);
  } finally {
    await home.remove();
  }
}
