const POLL_MS = 500;

/**
 * Calls back once the process that started this one is gone, if it named itself in PARENT_PID: a launcher
 * that is killed cannot stop its children, so they notice by themselves.
 */
export function onParentGone(callback: () => void): void {
  const parentPid = Number(process.env['PARENT_PID']);
  if (!Number.isSafeInteger(parentPid) || parentPid <= 1) return;
  const timer = setInterval(() => {
    if (isAlive(parentPid)) return;
    clearInterval(timer);
    callback();
  }, POLL_MS);
  timer.unref();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
