import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The memory of a process that stands in the machine's, in MB. */
export async function memoryMbOf(pid: number): Promise<number> {
  return (await residentKb(pid)) / 1_024;
}

/** The most that was seen of a process while something ran, looking so often, in MB. */
export async function peakMemoryMb(pid: number, everyMs: number, work: () => Promise<void>): Promise<number> {
  let peakMb = await memoryMbOf(pid);
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      await delay(everyMs);
      peakMb = Math.max(peakMb, await memoryMbOf(pid));
    }
  })();
  try {
    await work();
  } finally {
    isOver = true;
  }
  await watching;
  return peakMb;
}

/** From the kernel where it tells, since to start a program for each look takes from what is measured. */
async function residentKb(pid: number): Promise<number> {
  if (process.platform !== 'linux') {
    return Number((await run('ps', ['-o', 'rss=', '-p', String(pid)])).stdout);
  }
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (resident === undefined) throw new Error('The process has no memory.');
  return Number(resident);
}
