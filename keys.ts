import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, formatKeys, parseKeys, parseSecret, type Config, type NamedKey } from './config.ts';

/** The installation's secrets. */
export interface Keys {
  /** Signs and seals what is new. */
  readonly signing: NamedKey;
  /** All that verify and open, the signing one among them. */
  readonly all: readonly NamedKey[];
  /** Keys the hashes of phone numbers and the order of audiences; it never changes. */
  readonly hashKey: Buffer;
}

/**
 * The keys that the environment gives, else those in the home folder, which are made on first use: files that
 * only their owner can read. Two processes that start at once get the same ones. Throws a ConfigError when a
 * file holds something else.
 */
export async function loadKeys(config: Pick<Config, 'keys' | 'hashKey' | 'home'>): Promise<Keys> {
  const all = config.keys ?? (await keptIn(config.home, 'keys', makeKeys, parseKeys));
  const hashKey = config.hashKey ?? (await keptIn(config.home, 'hash-key', makeSecret, parseSecret));
  const [signing] = all;
  if (signing === undefined) throw new ConfigError(['CARILLON_KEYS has no key. Give at least one.']);
  return { signing, all, hashKey };
}

/**
 * The text of a file that is made once, by whoever comes first: it is written beside its place and linked there,
 * which fails if the name is taken. So nobody ever reads half a file or replaces another's.
 */
export async function keepSecretFile(path: string, make: () => string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrorCode(error, 'ENOENT')) throw error;
  }
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(make());
    await file.sync();
    await file.close();
    await link(draft, path);
  } catch (error) {
    if (!isErrorCode(error, 'EEXIST')) throw error;
  } finally {
    await file.close().catch(() => undefined);
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

async function keptIn<Value>(
  home: string,
  name: string,
  make: () => string,
  parse: (text: string) => Value,
): Promise<Value> {
  // Others may pass through the home folder (an embedded PostgreSQL has its own user), but not list it.
  await mkdir(home, { recursive: true, mode: 0o711 });
  const path = join(home, name);
  const text = await keepSecretFile(path, () => `${make()}\n`);
  try {
    return parse(text.trim());
  } catch (error) {
    throw new ConfigError([
      `The file ${path} ${error instanceof Error ? error.message : String(error)} Restore it from a backup: what it signed or hashed cannot be read without it.`,
    ]);
  }
}

function makeSecret(): string {
  return randomBytes(32).toString('base64');
}

function makeKeys(): string {
  return formatKeys([{ id: 'k1', secret: randomBytes(32) }]);
}

function isErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
