import { spawn } from 'node:child_process';

/** Watches over one child; dismissed once the child is gone. */
export interface Watchdog {
  dismiss(): void;
}

/**
 * Ends a child should this process die without doing so, in whatever way: a shell in a session of its own waits
 * on a pipe that only we hold, and the system closes that pipe when we are gone. Nothing is polled until then.
 */
export function watchChild(pid: number, stopSignal: NodeJS.Signals, graceMs: number): Watchdog {
  const tries = Math.ceil(graceMs / TRY_MS);
  const signal = stopSignal.replace(/^SIG/, '');
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'carillon-watchdog', String(pid), signal, String(tries)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  // A watchdog that was ended by somebody closes the pipe; the child is then ours alone to end.
  shell.stdin.on('error', () => undefined);
  shell.unref();
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return { dismiss: () => shell.stdin.end('done\n') };
}

const TRY_MS = 200;

/**
 * Arguments: the child's pid, the signal's name, how many fifths of a second it may take to end. A zombie has
 * ended: in a container whose first process reaps nobody it stays in the table for good.
 */
const SCRIPT = `
read -r word && exit 0
kill -s "$2" "$1" 2>/dev/null || exit 0
tries=0
while kill -0 "$1" 2>/dev/null; do
  case "$(cat "/proc/$1/stat" 2>/dev/null)" in *') Z '*) exit 0 ;; esac
  tries=$((tries + 1))
  if [ "$tries" -gt "$3" ]; then kill -s KILL "$1" 2>/dev/null; exit 0; fi
  sleep 0.2
done
`;
