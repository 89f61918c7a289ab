import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endProcess, identifyProcess, sendSignal } from './process-identity.ts';
import { watchChild } from './watchdog.ts';

/** A program to run as our child. */
export interface ChildOptions {
  /** Names the child in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Names its files in the home folder: its log, and who it is, should it outlive us. */
  readonly slug: string;
  readonly home: string;
  /** How it is asked to end, and how long it may take until SIGKILL. */
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
  /** The user it runs as; ours unless given. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Asks it to end, insists after the grace, returns once it is gone. */
  stop(): Promise<void>;
  /** Sends a signal and nothing more. */
  kill(signal: NodeJS.Signals): void;
}

/** A child together with the first JSON object that it printed. */
export interface ReadyChild {
  readonly child: Child;
  readonly ready: Readonly<Record<string, unknown>>;
}

/**
 * Starts a child in a session of its own, so that Ctrl-C reaches only us and we end the parts in order; a
 * watchdog ends it should we die without doing so. Throws when the program cannot be started.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { child } = await launch(options, 'file');
  return child;
}

/**
 * Starts a child that prints `{"ready":true,...}` as a line on its standard output once it works. Throws an
 * Error with the end of its log when it ends before, or is not ready within the time, or when the signal comes first.
 */
export async function startReadyChild(
  options: ChildOptions,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ReadyChild> {
  const { child, handle } = await launch(options, 'pipe');
  const ready = firstReadyLine(handle, logFileOf(options));
  const aborted = new AbortController();
  try {
    const outcome = await Promise.race([
      ready,
      child.exited.then((exit) => `ended (${describeExit(exit)}) before it was ready`),
      delay(timeoutMs, undefined, { signal: AbortSignal.any([signal, aborted.signal]) }).then(
        () => `was not ready within ${timeoutMs / 1000} s`,
        () => 'was not waited for any longer',
      ),
    ]);
    if (typeof outcome !== 'string') return { child, ready: outcome };
    await child.stop();
    throw new Error(`${options.name} ${outcome}. ${await logTail(options)}`);
  } finally {
    aborted.abort();
  }
}

const LEFTOVER_GRACE_MS = 10_000;

/** Ends what an earlier run on this home left behind, each if it still is the process that was remembered. */
export async function endLeftovers(home: string): Promise<void> {
  const folder = pidFolder(home);
  const names = await readdir(folder).catch(() => []);
  await Promise.all(names.map((name) => endLeftover(join(folder, name))));
}

/** The end of a log, as a sentence for an error message. */
export async function logTail(options: Pick<ChildOptions, 'home' | 'slug'>): Promise<string> {
  const logFile = logFileOf(options);
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-15).join('\n');
  return `The end of its log (${logFile}):\n${lines}`;
}

/** How a child ended, in words. */
export function describeExit(exit: ChildExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal;
}

async function endLeftover(pidFile: string): Promise<void> {
  const [pid, startedAt] = (await readFile(pidFile, 'utf8')).split('\n');
  // SIGINT is what each of our programs takes as the order to end at once, but properly.
  if (pid !== undefined && startedAt !== undefined) {
    await endProcess({ pid: Number(pid), startedAt }, 'SIGINT', LEFTOVER_GRACE_MS);
  }
  await rm(pidFile, { force: true });
}

function logFileOf(options: Pick<ChildOptions, 'home' | 'slug'>): string {
  return join(options.home, 'logs', `${options.slug}.log`);
}

function pidFolder(home: string): string {
  return join(home, 'run');
}

async function launch(
  options: ChildOptions,
  output: 'file' | 'pipe',
): Promise<{ child: Child; handle: ChildProcess }> {
  const pidFile = join(pidFolder(options.home), options.slug);
  for (const folder of [dirname(pidFile), dirname(logFileOf(options))]) {
    await mkdir(folder, { recursive: true, mode: 0o711 });
  }
  const log = await open(logFileOf(options), 'a', 0o600);
  const handle = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', output === 'pipe' ? 'pipe' : log.fd, log.fd],
    ...options.user,
  });
  const exited = new Promise<ChildExit>((resolve) => {
    handle.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const failed = new Promise<never>((_, reject) => handle.on('error', reject));
  failed.catch(() => undefined);
  const spawned = new Promise<void>((resolve) => handle.once('spawn', () => resolve()));
  try {
    await Promise.race([spawned, failed]);
  } finally {
    await log.close();
  }
  const { pid } = handle;
  if (pid === undefined) throw new Error(`${options.name} could not be started.`);
  const watchdog = watchChild(pid, options.stopSignal, options.graceMs);
  const identity = identifyProcess(pid);
  if (identity !== undefined) await writeFile(pidFile, `${pid}\n${identity.startedAt}\n`);
  const gone = exited.then(async (exit) => {
    watchdog.dismiss();
    await rm(pidFile, { force: true });
    return exit;
  });
  const child: Child = {
    pid,
    exited: gone,
    stop: () => stop(pid, gone, options),
    kill: (signal) => sendSignal(pid, signal),
  };
  return { child, handle };
}

async function stop(pid: number, exited: Promise<ChildExit>, options: ChildOptions): Promise<void> {
  sendSignal(pid, options.stopSignal);
  const aborted = new AbortController();
  const patience = delay(options.graceMs, 'late' as const, { signal: aborted.signal });
  const outcome = await Promise.race([exited, patience]);
  aborted.abort();
  patience.catch(() => undefined);
  if (outcome === 'late') sendSignal(pid, 'SIGKILL');
  await exited;
}

/** Copies the output to the log for as long as the child lives, and finds the line that says it is ready. */
function firstReadyLine(handle: ChildProcess, logFile: string): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    if (handle.stdout === null) return;
    const lines = createInterface({ input: handle.stdout });
    const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    lines.on('line', (line) => {
      log.write(`${line}\n`);
      const parsed = parseReady(line);
      if (parsed !== undefined) resolve(parsed);
    });
    lines.once('close', () => log.end());
  });
}

function parseReady(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('ready' in value) || value.ready !== true)
      return undefined;
    return { ...value };
  } catch {
    return undefined;
  }
}
