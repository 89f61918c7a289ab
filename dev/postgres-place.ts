import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The user that the database server runs as when we are root, which PostgreSQL refuses to be. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where an embedded PostgreSQL lives. */
export interface PostgresPlace {
  /** Holds the data folder and short-lived files; the server's user may enter it. */
  readonly folder: string;
  /** Holds `bin/postgres`. */
  readonly binaries: string;
  /** Undefined: the server runs as we do. */
  readonly user: ServerUser | undefined;
}

/**
 * Decides where the data lie and whose they are: in the home folder, as ourselves. As root the server needs a
 * user of its own, and that user may be unable to enter the home or the checkout (as below /root or in a
 * private temporary folder). Then data and programs lie in a folder below /var/tmp whose name the home keeps.
 */
export async function choosePostgresPlace(
  home: string,
  binaries: string,
  progress: (line: string) => void,
): Promise<PostgresPlace> {
  const folder = join(home, 'postgres');
  if (process.getuid?.() !== 0) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return { folder, binaries, user: undefined };
  }
  const user = findOrMakeUser(progress);
  const outside = await readOutside(home);
  if (outside === undefined) await mkdir(folder, { recursive: true, mode: 0o711 });
  const usable = outside ?? (canEnter(folder, user) ? folder : await makeOutside(home, progress));
  return { folder: usable, binaries: await usableBinaries(usable, binaries, user, progress), user };
}

/** Removes the data that a home keeps outside itself, for homes that are thrown away. */
export async function removeOutsidePlace(home: string): Promise<void> {
  const outside = await readOutside(home);
  if (outside !== undefined) await rm(outside, { recursive: true, force: true });
}

const OUTSIDE_PREFIX = '/var/tmp/carillon-postgres-';

async function makeOutside(home: string, progress: (line: string) => void): Promise<string> {
  const folder = await mkdtemp(OUTSIDE_PREFIX);
  await chmod(folder, 0o711);
  await writeFile(join(home, 'postgres-folder'), `${folder}\n`, { mode: 0o600 });
  progress(`PostgreSQL may not run as root, and its user cannot enter ${home}: its data lie in ${folder}.`);
  return folder;
}

async function readOutside(home: string): Promise<string | undefined> {
  const text = await readFile(join(home, 'postgres-folder'), 'utf8').catch(() => '');
  const folder = text.trim();
  if (!folder.startsWith(OUTSIDE_PREFIX)) return undefined;
  // Anybody may write below /var/tmp: only a real folder of our own is trusted.
  const info = await lstat(folder).catch(() => undefined);
  if (info?.isDirectory() === true && info.uid === process.getuid?.()) return folder;
  throw new Error(
    `The data of this home's PostgreSQL should lie in ${folder}, which is gone. Restore it, or delete ${join(home, 'postgres-folder')} to begin with an empty database.`,
  );
}

async function usableBinaries(
  place: string,
  binaries: string,
  user: ServerUser,
  progress: (line: string) => void,
): Promise<string> {
  const runs = (folder: string): boolean =>
    spawnSync(join(folder, 'bin', 'postgres'), ['--version'], { ...user, cwd: '/' }).status === 0;
  if (runs(binaries)) return binaries;
  const copy = join(place, 'native');
  await rm(copy, { recursive: true, force: true });
  await cp(binaries, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync('chmod', ['-R', 'a+rX', copy]);
  if (runs(copy)) return copy;
  progress(`The programs of PostgreSQL were copied to ${copy} and do not run there either.`);
  throw new Error(
    'The embedded PostgreSQL cannot be run here. Run as another user than root, or set DATABASE_URL to a PostgreSQL 15 or later.',
  );
}

function canEnter(folder: string, user: ServerUser): boolean {
  const found = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/' });
  return found.status === 0;
}

function findOrMakeUser(progress: (line: string) => void): ServerUser {
  const found = lookUpUser();
  if (found !== undefined) return found;
  try {
    execFileSync('/usr/sbin/useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
      stdio: 'pipe',
    });
  } catch (error) {
    throw new Error(
      'PostgreSQL may not run as root, and no user "postgres" could be made for it. Make one (useradd --system postgres), run as another user than root, or set DATABASE_URL.',
      { cause: error },
    );
  }
  progress('PostgreSQL may not run as root: the system user "postgres" was made for it.');
  const made = lookUpUser();
  if (made === undefined) throw new Error('The user "postgres" was made but cannot be found.');
  return made;
}

function lookUpUser(): ServerUser | undefined {
  const [uid, gid] = [askId('-u'), askId('-g')];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function askId(flag: '-u' | '-g'): number | undefined {
  const found = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
  return found.status === 0 ? Number(found.stdout) : undefined;
}

/** Gives a folder to the server's user alone. */
export async function giveTo(path: string, user: ServerUser | undefined): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
}
