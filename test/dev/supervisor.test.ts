import { describe, expect, it, onTestFinished } from 'vitest';
import { startChild, type Child } from '../../dev/child.ts';
import { identifyProcess } from '../../dev/process-identity.ts';
import { supervise, type Part } from '../../dev/supervisor.ts';
import { temporaryFolder } from './temporary-folder.ts';

interface Supervised {
  readonly part: Part;
  readonly pids: number[];
  /** Resolves once this many processes of the part have been started. */
  readonly started: (count: number) => Promise<void>;
}

async function supervised(failures = 0): Promise<Supervised> {
  const home = await temporaryFolder();
  const pids: number[] = [];
  let attempts = 0;
  const waiting: (() => void)[] = [];
  const start = async (): Promise<Child> => {
    attempts += 1;
    // The first start is not one of the failures: those are of starts after a crash.
    if (attempts > 1 && attempts <= 1 + failures) throw new Error('no luck');
    const options = {
      name: 'p',
      slug: 'p',
      home,
      command: '/bin/sh',
      args: ['-c', 'exec sleep 60'],
      cwd: '/',
    };
    const child = await startChild({ ...options, env: process.env, stopSignal: 'SIGTERM', graceMs: 1_000 });
    pids.push(child.pid);
    for (const wake of waiting.splice(0)) wake();
    return child;
  };
  const part = supervise({ name: 'p', start, progress: () => undefined });
  onTestFinished(() => part.stop());
  const reached = async (count: number): Promise<void> => {
    while (pids.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { part, pids, started: reached };
}

function killNow(pid: number | undefined): void {
  if (pid === undefined) throw new Error('The part does not run.');
  process.kill(pid, 'SIGKILL');
}

describe('a part', () => {
  it('that is killed by somebody runs again', async () => {
    const { part, pids, started } = await supervised();
    await part.start();
    killNow(part.pid());
    await started(2);
    expect(identifyProcess(pids[1] ?? 0)).toBeDefined();
  });

  it('that does not start again at once is tried until it does', async () => {
    const { part, pids, started } = await supervised(2);
    await part.start();
    killNow(part.pid());
    await started(2);
    expect(identifyProcess(pids[1] ?? 0)).toBeDefined();
  });

  it('that was stopped or killed by us stays down until it is started', async () => {
    const { part, pids } = await supervised();
    await part.start();
    await part.kill();
    expect(part.pid()).toBeUndefined();
    await part.start();
    await part.stop();
    expect(part.pid()).toBeUndefined();
    expect(pids).toHaveLength(2);
    expect(pids.map((pid) => identifyProcess(pid))).toEqual([undefined, undefined]);
  });

  it('that is stopped while it waits for its next start stays down', async () => {
    const { part, pids } = await supervised(1_000);
    await part.start();
    killNow(part.pid());
    await part.ended();
    await part.stop();
    expect(part.pid()).toBeUndefined();
    expect(pids).toHaveLength(1);
  });

  it('runs once only', async () => {
    const { part } = await supervised();
    await part.start();
    await expect(part.start()).rejects.toThrow('runs already');
  });
});
