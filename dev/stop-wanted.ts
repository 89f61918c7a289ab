import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { identifyProcess, isRunning, parentPid, type ProcessIdentity } from './process-identity.ts';

/**
 * Calls back once when this process is to end: at Ctrl-C, at SIGTERM, or when the npm or tsx that started it
 * is gone, since whoever kills that means us. A second signal ends this process on the spot.
 */
export function onStopWanted(callback: () => void): void {
  let wantedMs: number | undefined;
  const want = (): void => {
    if (wantedMs !== undefined) return;
    wantedMs = performance.now();
    callback();
  };
  const wantOrExit = (): void => {
    // npm and tsx may pass on the very Ctrl-C that the terminal has sent to all of us.
    if (wantedMs !== undefined && performance.now() - wantedMs > SAME_SIGNAL_MS) process.exit(1);
    want();
  };
  process.on('SIGINT', wantOrExit);
  process.on('SIGTERM', wantOrExit);
  // A reader of our output that is gone must not end us before the parts have ended.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', want);
  // tsx holds a channel to us, which closes when it ends.
  process.once('disconnect', want);
  const starters = findStarters();
  const timer = setInterval(() => {
    if (!starters.every(isRunning)) want();
  }, POLL_MS);
  timer.unref();
}

const SAME_SIGNAL_MS = 1_000;
const POLL_MS = 1_000;
const STARTERS_MAX = 4;

/** The processes between npm and us, npm among them; none if it was not npm that started us. */
function findStarters(): ProcessIdentity[] {
  if (process.env['npm_lifecycle_event'] === undefined) return [];
  const found: ProcessIdentity[] = [];
  let pid: number | undefined = process.ppid;
  while (pid !== undefined && pid > 1 && found.length < STARTERS_MAX) {
    const identity = identifyProcess(pid);
    if (identity === undefined) return [];
    found.push(identity);
    if (/^npm\b|\/npm( |$)|npm-cli\.js/.test(commandOf(pid))) return found;
    pid = parentPid(pid);
  }
  return [];
}

function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
