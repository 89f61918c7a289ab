import type { Callback } from './carrier.ts';
import { type Process, type ProcessDeps, startProcess } from './process.ts';
import type { World } from './world.ts';

const RESTART_MS = 1_000;
const RETRY_MS = 15_000;
const TRIES_MAX = 3;

/** The API that takes callbacks: durable before it answers; the carrier asks again when it gets no answer. */
export function receiveCallbacks(
  world: World,
  processDeps: ProcessDeps,
  onSuppressed: (number: string) => void,
): (callback: Callback) => void {
  const { loop, ledger, protocol, trace, witness } = world;
  let started = 0;
  let api: Process | null = null;
  const alive = (): Process | null => {
    if (api !== null && !api.isDead()) return api;
    if (api !== null) {
      api = null;
      loop.after(RESTART_MS, start);
    }
    return null;
  };
  const start = (): void => {
    started += 1;
    api = startProcess(processDeps, `api${started}`);
  };
  start();

  const deliver = (callback: Callback, times: number): void => {
    const retry = (): void => {
      if (times < TRIES_MAX) loop.after(RETRY_MS * times, () => deliver(callback, times + 1));
    };
    const process = alive();
    if (process === null) {
      retry();
      return;
    }
    if (!protocol.isGenuine(callback)) return;
    let isAnswered = false;
    loop.after(RETRY_MS / 2, () => {
      if (!isAnswered) retry();
    });
    process
      .call('report', () => {
        if (callback.isSigned) witness.reported(callback);
        const before = ledger.suppressed.has(callback.to);
        const verdict = protocol.applyReport(ledger, callback);
        trace(
          process.id,
          `takes ${callback.status} of ${callback.uuid}, lease ${callback.leaseId}: ${verdict}`,
        );
        if (!before && ledger.suppressed.has(callback.to)) {
          witness.suppressed(callback.to);
          onSuppressed(callback.to);
        }
        return Promise.resolve();
      })
      .then(
        () => {
          process.crash('report.committed');
          isAnswered = !process.isDead();
        },
        () => undefined,
      );
  };
  return (callback) => deliver(callback, 1);
}
