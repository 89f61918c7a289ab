import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../dev/node-flags.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A server in a process of its own. */
export interface Program {
  readonly pid: number;
  readonly stop: () => Promise<void>;
  /** Ends it in the middle of whatever it does. */
  readonly kill: () => Promise<void>;
}

/** Where nothing listens: most of what is measured of the API asks no engine, so none runs. */
const NO_ENGINE = '127.0.0.1:1';

/** Starts the API as production does, on this database, and without an engine unless there is one. */
export async function startApi(
  databaseUrl: string,
  port: number,
  home: string,
  temporalAddress = NO_ENGINE,
): Promise<Program> {
  return startServer(['api/server.ts'], {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    // One key asks for as much as can be had; it is counted as any other.
    REQUESTS_PER_KEY: '999999999',
    CARILLON_HOME: home,
    PORT: String(port),
  });
}

/** Starts a server as production does, its log going nowhere, and waits until it says that it listens. */
export async function startServer(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  const nowhere = await open(devNull, 'w');
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', 'tsx', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', nowhere.fd],
  });
  await nowhere.close();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with code ${code}.`)));
    child.stdout?.once('data', () => resolve());
  });
  if (child.pid === undefined) throw new Error(`${args[0]} has no process.`);
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { pid: child.pid, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
