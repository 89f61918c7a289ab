import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { removeOutsidePlace } from '../../dev/postgres-place.ts';

/** A folder of one test's own, gone when the test has finished; others may pass through it unless `private`. */
export async function temporaryFolder(access: 'passable' | 'private' = 'passable'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-test-'));
  if (access === 'passable') await chmod(folder, 0o711);
  onTestFinished(async () => {
    await removeOutsidePlace(folder);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
