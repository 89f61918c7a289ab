import { CRASH_POINTS, type CrashHook, noCrash } from '../domain/dispatch/crash-points.ts';

/**
 * Kills this process at a named crash point: `lease.committed` at once, `lease.committed:3` at its third
 * time. For tests of what a death leaves behind, so only with the sandbox carrier.
 */
export function crashHookOf(setting: string | undefined, carrier: 'sandbox' | 'plivo'): CrashHook {
  if (setting === undefined || setting === '') return noCrash;
  if (carrier !== 'sandbox') throw new Error('CARILLON_CRASH_AT works with CARRIER=sandbox only; unset it.');
  const [name, times = '1'] = setting.split(':');
  const wanted = CRASH_POINTS.find((point) => point === name);
  if (wanted === undefined)
    throw new Error(`CARILLON_CRASH_AT names no crash point. Give one of ${CRASH_POINTS.join(', ')}.`);
  let left = Number(times);
  return (point) => {
    if (point !== wanted) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
