import { chmod } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { makeThrowawayHome } from '../../dev/throwaway-home.ts';

/** A folder of one test's own, gone when the test has finished; others may pass through it unless `private`. */
export async function temporaryFolder(access: 'passable' | 'private' = 'passable'): Promise<string> {
  const { path, remove } = await makeThrowawayHome('test');
  if (access === 'private') await chmod(path, 0o700);
  onTestFinished(remove);
  return path;
}
