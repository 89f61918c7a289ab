import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../dev/process-identity.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A process that runs a program of ours beside the test; it is killed when the test has finished. */
export interface ProgramProcess {
  readonly pid: number;
  /** The next line that it prints; undefined when it has ended. */
  nextLine(): Promise<string | undefined>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
}

/** Runs one of the programs in `programs/`. */
export function runProgram(name: string, args: readonly string[]): ProgramProcess {
  const path = fileURLToPath(new URL(`programs/${name}`, import.meta.url));
  const command = ['--import', 'tsx', path, ...args];
  return follow(spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** Follows a child's output and end. */
export function follow(child: ChildProcess): ProgramProcess {
  if (child.stdout === null || child.pid === undefined) throw new Error('The process did not start.');
  const { pid } = child;
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    pid,
    exited,
    signal: (signal) => void child.kill(signal),
    nextLine: async () => {
      const next = await lines.next();
      return next.done === true ? undefined : next.value;
    },
  };
}

/** Who runs under this pid; fails the test when nobody does. */
export function mustIdentify(pid: number): ProcessIdentity {
  const identity = identifyProcess(pid);
  if (identity === undefined) throw new Error(`No process ${pid} runs.`);
  return identity;
}

/** Resolves once none of the processes runs any more; the test's own time limit is the deadline. */
export async function allGone(identities: readonly ProcessIdentity[]): Promise<void> {
  while (identities.some(isRunning)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
