import { setTimeout as delay } from 'node:timers/promises';
import { describeExit, type Child } from './child.ts';

/** What starting one process of a part works with. */
export interface PartStart {
  /** Adds to the environment that the part gets anyway. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the part is no longer wanted: a start under way then ends its process and throws. */
  readonly signal: AbortSignal;
}

/** A part of the system and how one process of it is started. */
export interface PartOptions {
  readonly name: string;
  readonly start: (options: PartStart) => Promise<Child>;
  readonly progress: (line: string) => void;
}

/** A part that is kept running: when its process ends unasked it is started again, later each time. */
export interface Part {
  readonly name: string;
  /** The process that runs now; undefined between two of them. */
  pid(): number | undefined;
  /** Starts the part and keeps it running. Throws if it does not get ready. */
  start(env?: NodeJS.ProcessEnv): Promise<void>;
  /** Ends it in order and does not start it again. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL and does not start it again; returns once it is gone. */
  kill(): Promise<void>;
  /** Returns when the process that runs now has ended, at once if there is none. */
  ended(): Promise<void>;
}

/** Makes a part; it does not run yet. */
export function supervise(options: PartOptions): Part {
  const { name } = options;
  let session: Session | undefined;
  const end = async (how: (running: Child) => Promise<void>): Promise<void> => {
    const ending = session;
    if (ending === undefined) return;
    ending.unwanted.abort();
    await ending.keeping.catch(() => undefined);
    if (ending.child !== undefined) await how(ending.child);
    if (session === ending) session = undefined;
  };
  return {
    name,
    pid: () => session?.child?.pid,
    start: async (env = {}) => {
      if (session !== undefined) throw new Error(`${name} runs already.`);
      const started: Session = {
        env,
        unwanted: new AbortController(),
        keeping: Promise.resolve(),
        child: undefined,
      };
      session = started;
      try {
        started.keeping = startOnce(started, options);
        await started.keeping;
      } catch (error) {
        session = undefined;
        throw error;
      }
    },
    stop: () => end((running) => running.stop()),
    kill: () =>
      end(async (running) => {
        running.kill('SIGKILL');
        await running.exited;
      }),
    ended: async () => {
      await session?.child?.exited;
    },
  };
}

/** From a start to the end that was asked for, however many processes that takes. */
interface Session {
  readonly env: NodeJS.ProcessEnv;
  readonly unwanted: AbortController;
  /** The start that is under way, or the last one. */
  keeping: Promise<void>;
  child: Child | undefined;
}

const RESTART_DELAY_MS = 500;
const RESTART_DELAY_MAX_MS = 30_000;
/** Who ran this long did not fail at its start, and is started again at once. */
const STEADY_MS = 60_000;

async function startOnce(session: Session, options: PartOptions): Promise<void> {
  const child = await options.start({ env: session.env, signal: session.unwanted.signal });
  session.child = child;
  void keepRunning(session, child, options);
}

async function keepRunning(session: Session, child: Child, options: PartOptions): Promise<void> {
  const startedMs = performance.now();
  const exit = await child.exited;
  session.child = undefined;
  if (session.unwanted.signal.aborted) return;
  options.progress(`${options.name} ended (${describeExit(exit)}) and is started again.`);
  const wasSteady = performance.now() - startedMs > STEADY_MS;
  session.keeping = startAgain(session, options, wasSteady ? 0 : RESTART_DELAY_MS);
}

async function startAgain(session: Session, options: PartOptions, firstDelayMs: number): Promise<void> {
  const { name, progress } = options;
  const { signal } = session.unwanted;
  for (let delayMs = firstDelayMs; ; delayMs = laterThan(delayMs)) {
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await startOnce(session, options);
      progress(`${name} runs again.`);
      return;
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      progress(`${name} did not start and is tried again in ${laterThan(delayMs) / 1000} s: ${reason}`);
    }
  }
}

function laterThan(delayMs: number): number {
  return Math.min(RESTART_DELAY_MAX_MS, Math.max(RESTART_DELAY_MS, delayMs * 2));
}
