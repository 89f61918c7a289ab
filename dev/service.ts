import { fileURLToPath } from 'node:url';
import { startReadyChild, type Child } from './child.ts';
import { NODE_FLAGS } from './node-flags.ts';
import type { PartStart } from './supervisor.ts';

/** A process of ours: a script that says `{"ready":true}` and ends by itself when PARENT_PID is gone. */
export interface ServiceOptions {
  readonly name: string;
  readonly slug: string;
  /** Path of the script from the root of the checkout. */
  readonly script: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a script of ours and returns once it works. Throws an Error with the end of its log if it does not. */
export async function startService(options: ServiceOptions, { env, signal }: PartStart): Promise<Child> {
  const { child } = await startReadyChild(
    {
      name: options.name,
      slug: options.slug,
      home: options.home,
      command: process.execPath,
      args: [...NODE_FLAGS, '--enable-source-maps', '--import', 'tsx', options.script],
      env: { ...options.env, PARENT_PID: String(process.pid), ...env },
      cwd: ROOT,
      stopSignal: 'SIGTERM',
      graceMs: STOP_GRACE_MS,
    },
    START_TIMEOUT_MS,
    signal,
  );
  return child;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const START_TIMEOUT_MS = 60_000;
/** A worker lets activities under way end for 20 s. */
const STOP_GRACE_MS = 25_000;
