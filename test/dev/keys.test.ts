import { randomBytes } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../config.ts';
import { keepSecretFile, loadKeys } from '../../keys.ts';
import { temporaryFolder } from './temporary-folder.ts';

const none = { keys: undefined, hashKey: undefined };

describe('keys in the home folder', () => {
  it('are made once and found again', async () => {
    const home = join(await temporaryFolder(), 'home');
    const first = await loadKeys({ ...none, home });
    const second = await loadKeys({ ...none, home });
    expect(second).toEqual(first);
    expect(first.signing).toEqual(first.all[0]);
    expect(first.hashKey).toHaveLength(32);
  });

  it('can be read by their owner only', async () => {
    const home = join(await temporaryFolder(), 'home');
    await loadKeys({ ...none, home });
    const names = await readdir(home);
    expect(names.toSorted()).toEqual(['hash-key', 'keys']);
    for (const name of names) expect((await stat(join(home, name))).mode & 0o777).toBe(0o600);
  });

  it('are the same for all who come first at once', async () => {
    const folder = await temporaryFolder();
    const texts = await Promise.all(
      Array.from({ length: 20 }, () =>
        keepSecretFile(join(folder, 'secret'), () => randomBytes(8).toString('hex')),
      ),
    );
    expect(new Set(texts).size).toBe(1);
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it('give way to those of the environment', async () => {
    const home = join(await temporaryFolder(), 'home');
    const keys = [{ id: 'a', secret: randomBytes(32) }];
    const hashKey = randomBytes(32);
    expect(await loadKeys({ keys, hashKey, home })).toEqual({ signing: keys[0], all: keys, hashKey });
    await expect(readdir(home)).rejects.toThrow('ENOENT');
  });

  it('are never replaced: a spoilt file is an error', async () => {
    const home = await temporaryFolder();
    await writeFile(join(home, 'hash-key'), 'spoilt');
    await expect(loadKeys({ ...none, home })).rejects.toThrow(ConfigError);
  });
});
