import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../dev/node-flags.ts';
import type { DispatchCampaign } from './dispatch-data.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = fileURLToPath(new URL('dispatch-worker.ts', import.meta.url));

/** What a worker works with. */
export interface WorkerPlace {
  readonly databaseUrl: string;
  /** A carrier that takes everything. */
  readonly sinkUrl: string;
}

/** What a worker is told, a line each. */
export type WorkerOrder =
  | { readonly kind: 'lanes'; readonly campaign: DispatchCampaign; readonly lanes: readonly number[] }
  | { readonly kind: 'collect_garbage' };

/** A worker in a process of its own, connected and with nothing to do yet. */
export interface BenchWorker {
  readonly pid: number;
  /** Runs these lanes of a campaign's message side by side, to their ends. */
  readonly runLanes: (campaign: DispatchCampaign, lanes: readonly number[]) => Promise<void>;
  readonly collectGarbage: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a worker and waits until it is connected. What it is told rejects once it has ended. */
export async function startWorker(place: WorkerPlace): Promise<BenchWorker> {
  const { databaseUrl, sinkUrl } = place;
  const given: WorkerPlace = { databaseUrl, sinkUrl };
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, '--expose-gc', '--import', 'tsx', PROGRAM, JSON.stringify(given)],
    {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'close');
  // What is written to a worker that has ended is lost, and the order that waits for its answer says so.
  child.stdin.on('error', () => undefined);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answered = async (): Promise<void> => {
    const answer = await answers.next();
    if (answer.done === true) throw new Error('The worker has ended.');
  };
  const tell = (order: WorkerOrder): Promise<void> => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    return answered();
  };
  await answered();
  if (child.pid === undefined) throw new Error('The worker has no process.');
  return {
    pid: child.pid,
    runLanes: (campaign, lanes) => tell({ kind: 'lanes', campaign, lanes }),
    collectGarbage: () => tell({ kind: 'collect_garbage' }),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** Works with so many workers and stops them afterwards. */
export async function withWorkers<Result>(
  count: number,
  place: WorkerPlace,
  work: (workers: readonly BenchWorker[]) => Promise<Result>,
): Promise<Result> {
  const workers: BenchWorker[] = [];
  try {
    while (workers.length < count) workers.push(await startWorker(place));
    return await work(workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}
