import { spawn } from 'node:child_process';

/** What a search for programs works with: the environment, and who hears how long steps get on. */
export interface ToolContext {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
  /** Aborted when the search is no longer wanted. */
  readonly signal?: AbortSignal;
}

/** A tool of the machine to run, such as pip. */
export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** Runs a tool to its end and returns what it printed. Throws an Error with the end of that when it fails. */
export async function runTool(options: ToolRun): Promise<string> {
  const { command, args, cwd, env, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => reject(new Error(`${command} cannot be run: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const how = signal === null ? `exit code ${code}` : `${signal}, after ${timeoutMs / 1000} s at most`;
      return reject(
        new Error(`${command} failed (${how}): ${output.trim().split('\n').slice(-3).join(' ')}`),
      );
    });
  });
}

/** Says every few seconds that a long step still goes on, so that nobody takes a download for a hang. */
export async function withProgress<Result>(
  label: string,
  progress: (line: string) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedMs = performance.now();
  progress(`${label} ...`);
  const timer = setInterval(() => {
    progress(`${label} ... ${Math.round((performance.now() - startedMs) / 1000)} s`);
  }, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

const EVERY_MS = 5_000;
