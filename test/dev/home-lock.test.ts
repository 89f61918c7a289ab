import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { HomeInUseError, lockHome } from '../../dev/home-lock.ts';
import { runProgram } from './program-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the lock of a home folder', () => {
  it('refuses a second process and names the first', async () => {
    const home = await temporaryFolder();
    const holder = runProgram('hold-home.ts', [home]);
    expect(await holder.nextLine()).toBe('locked');
    const refused = await lockHome(home).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HomeInUseError);
    expect(String(refused)).toContain(`Process ${holder.pid} `);
    expect(String(refused)).toContain('CARILLON_HOME');
  });

  it('ends with its holder, also by SIGKILL', async () => {
    const home = await temporaryFolder();
    const holder = runProgram('hold-home.ts', [home]);
    expect(await holder.nextLine()).toBe('locked');
    holder.signal('SIGKILL');
    await holder.exited;
    await (await lockHome(home)).release();
  });

  it('can be had again after its release', async () => {
    const home = await temporaryFolder();
    for (let round = 0; round < 3; round += 1) await (await lockHome(home)).release();
    const lock = await lockHome(home);
    await expect(lockHome(home)).rejects.toThrow(HomeInUseError);
    await lock.release();
  });

  it('goes to exactly one of many that follow a dead holder at once', async () => {
    const home = join(await temporaryFolder(), 'home');
    await mkdir(home);
    const dead = runProgram('hold-home.ts', [home]);
    expect(await dead.nextLine()).toBe('locked');
    dead.signal('SIGKILL');
    await dead.exited;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        lockHome(home).then(
          () => 'locked',
          () => 'refused',
        ),
      ),
    );
    expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1);
  });
});
