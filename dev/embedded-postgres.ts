import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, readlink, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { keepSecretFile } from '../keys.ts';
import { logTail, startChild, type Child, type ChildOptions } from './child.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { choosePostgresPlace, giveTo, type PostgresPlace } from './postgres-place.ts';
import { endProcess, identifyProcess } from './process-identity.ts';
import { withOwner } from './with-owner.ts';

/** What an embedded PostgreSQL needs to know. */
export interface PostgresOptions {
  /** The folder that keeps the data, the password and the log. */
  readonly home: string;
  readonly port: number;
  readonly progress: (line: string) => void;
  /** False for tests that never lose power: commits are then not synced to disk, which is faster. */
  readonly durable?: boolean;
}

/** A running database server. */
export interface EmbeddedPostgres {
  readonly child: Child;
  /** The address of the database `carillon`, password included. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a PostgreSQL 18 on 127.0.0.1 with its data below the home folder, made on first use. A server that an
 * earlier run left behind on these data is ended first. Throws an Error with the end of the log if it does not start.
 */
export async function startEmbeddedPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { home, port, progress } = options;
  await mkdir(home, { recursive: true, mode: 0o711 });
  const password = await keepSecretFile(join(home, 'postgres-password'), () =>
    randomBytes(24).toString('hex'),
  );
  const { folder: binaries } = await findPostgresBinaries();
  const place = await choosePostgresPlace(home, binaries, progress);
  const data = join(place.folder, 'data');
  const childOptions = serverOptions(options, place, data);
  const wasKilled = await endOrphan(data);
  if (!(await exists(join(data, 'PG_VERSION')))) {
    progress('Making a new PostgreSQL database.');
    await initialise(place, data, password);
  }
  const patienceMs = wasKilled ? LAST_WORK_MS : 0;
  const child = await startServer(childOptions, urlOf(port, password, 'postgres'), patienceMs);
  await makeDatabase(urlOf(port, password, 'postgres'));
  return { child, url: urlOf(port, password, 'carillon'), stop: () => child.stop() };
}

const START_TIMEOUT_MS = 60_000;
/** Whoever works for a server that was killed ends what he is at before he sees it. */
const LAST_WORK_MS = 30_000;
const RETRY_MS = 200;
const PAGE_CACHE_MB_MIN = 128;
const PAGE_CACHE_MB_MAX = 2_048;

function serverOptions(options: PostgresOptions, place: PostgresPlace, data: string): ChildOptions {
  const { home, port, durable = true } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    // Sockets in a shared folder would collide, and everybody here speaks TCP.
    unix_socket_directories: '',
    port: String(port),
    max_connections: '200',
    // Tests run many servers of little data at a time.
    ...(durable ? { shared_buffers: `${pageCacheMb(usableMemoryMb())}MB` } : {}),
    max_wal_size: '2GB',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A statement's text may hold a phone number or a name, and logs must not.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
  return {
    name: 'PostgreSQL',
    command: join(place.binaries, 'bin', 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: serverEnvironment(),
    cwd: '/',
    home,
    slug: 'postgres',
    // "Fast shutdown": sessions are ended, what is committed is kept, nothing is to be recovered.
    stopSignal: 'SIGINT',
    graceMs: 20_000,
    user: place.user,
  };
}

/**
 * How much PostgreSQL keeps of its data in memory of its own, in MB: a quarter of what there is, as its manual advises.
 * With its default of 128 MB the rows and indexes of a large audience, which are met in random order, come and go. It
 * is taken as it is filled, so a small database takes little.
 */
export function pageCacheMb(memoryMb: number): number {
  return Math.max(PAGE_CACHE_MB_MIN, Math.min(PAGE_CACHE_MB_MAX, Math.floor(memoryMb / 4)));
}

/** What this process may use: the machine's memory, or what its container is given of it. */
function usableMemoryMb(): number {
  const given = process.constrainedMemory();
  return (given > 0 ? Math.min(given, totalmem()) : totalmem()) / 1_048_576;
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

async function initialise(place: PostgresPlace, data: string, password: string): Promise<void> {
  // Made beside its place and renamed when complete: an interrupted attempt is never taken for a database.
  const draft = join(place.folder, `draft-${randomBytes(6).toString('hex')}`);
  const passwordFile = `${draft}.password`;
  await mkdir(draft, { mode: 0o700 });
  await giveTo(draft, place.user);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await giveTo(passwordFile, place.user);
  try {
    const args = [
      '--pgdata',
      draft,
      '--username=carillon',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
    ];
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    await run(join(place.binaries, 'bin', 'initdb'), [...args, ...locale], place);
    await rm(data, { recursive: true, force: true });
    await rename(draft, data);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], place: PostgresPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', env: serverEnvironment(), stdio: 'pipe', ...place.user });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`PostgreSQL could not make its data folder (initdb, exit code ${code}):\n${output}`),
        );
    });
  });
}

/**
 * Ends a server that still runs on these data though whoever started it is gone, as the file that PostgreSQL
 * itself keeps says; a stale file is removed, since its pid may by now be somebody else's. Resolves with whether there
 * was one, which a server that ends in order takes away.
 */
async function endOrphan(data: string): Promise<boolean> {
  const path = join(data, 'postmaster.pid');
  const pid = Number((await readFile(path, 'utf8').catch(() => '')).split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const identity = identifyProcess(pid);
  if (identity !== undefined && (await worksIn(pid, data))) await endProcess(identity, 'SIGINT', 20_000);
  await rm(path, { force: true });
  return true;
}

/**
 * Starts the server and waits until it answers. One that ends by itself is started again within `patienceMs`: while
 * anybody still works on these data for one that was killed, PostgreSQL refuses to start.
 */
async function startServer(options: ChildOptions, url: string, patienceMs: number): Promise<Child> {
  const startedAt = performance.now();
  for (;;) {
    const child = await startChild(options);
    let hasEnded = false;
    void child.exited.then(() => (hasEnded = true));
    try {
      await waitUntilReady(child, url, options);
      return child;
    } catch (error) {
      if (!hasEnded || performance.now() - startedAt > patienceMs) throw error;
    }
    await delay(RETRY_MS);
  }
}

/** Whether this process is a server on these data: that is its working folder, and stands in its command. */
async function worksIn(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(data);
  }
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return folder !== undefined && folder === (await realpath(data));
}

async function waitUntilReady(child: Child, url: string, options: ChildOptions): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  let ended = false;
  void child.exited.then(() => (ended = true));
  for (;;) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (ended || performance.now() > deadline) {
        await child.stop();
        throw new Error(`PostgreSQL did not start. ${await logTail(options)}`, { cause: error });
      }
    }
    await delay(50);
  }
}

async function makeDatabase(url: string): Promise<void> {
  await withOwner(url, async (owner) => {
    const found = await owner.query("select 1 from pg_database where datname = 'carillon'");
    if (found.rowCount === 0) await owner.query('create database carillon');
  });
}

function urlOf(port: number, password: string, database: string): string {
  return `postgres://carillon:${password}@127.0.0.1:${port}/${database}`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
