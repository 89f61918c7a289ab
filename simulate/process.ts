import type { CrashPoint } from '../domain/dispatch/crash-points.ts';
import type { Chance } from './chance.ts';
import type { EventLoop } from './event-loop.ts';
import type { Weather } from './scenario.ts';
import type { Trace } from './trace.ts';

/** A call whose connection broke: it may have taken effect or not. */
export class ConnectionLost extends Error {}

/** What a crash point inside a transaction belongs to; dying there rolls it back. */
const BEFORE_COMMIT: Readonly<Record<string, CrashPoint>> = {
  openLeases: 'lease.before_commit',
  record: 'record.before_commit',
  report: 'report.before_commit',
  freeze: 'freeze.before_commit',
};

/** A simulated process. Once dead nothing that it does reaches the world, and nothing of the world reaches it. */
export interface Process {
  readonly id: string;
  readonly isDead: () => boolean;
  /** Until when it is frozen (machine time); it lives on afterwards and knows nothing of it. */
  readonly frozenUntilMs: () => number;
  readonly kill: () => void;
  readonly freeze: (forMs: number) => void;
  /** Does something to the world behind a connection, with all that may happen on the way there and back. */
  readonly call: <Result>(site: string, effect: () => Promise<Result>, mayBreak?: boolean) => Promise<Result>;
  /** Runs something in the process: never when it is dead, later when it is frozen. */
  readonly deliver: (run: () => void) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly crash: (point: CrashPoint) => void;
}

/** What processes are made of. */
export interface ProcessDeps {
  readonly loop: EventLoop;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly trace: Trace;
  /** Told of everything that may leave somebody unknown. */
  readonly onDisruption: (process: Process, what: string) => void;
}

const FREEZE_MS_MAX = 40_000;
/**
 * What the engine orders of a worker, which carries it out when it goes on after it stood still, whatever others have done
 * meanwhile.
 */
const ORDERS: ReadonlySet<string> = new Set(['plan', 'expire', 'step', 'enterLane']);

/** Starts a process. */
export function startProcess(deps: ProcessDeps, id: string): Process {
  const { loop, chance, weather, trace } = deps;
  let isDead = false;
  let frozenUntilMs = 0;

  const deliver = (run: () => void): void => {
    if (isDead) return;
    if (loop.now() < frozenUntilMs) loop.after(frozenUntilMs - loop.now(), () => deliver(run));
    else run();
  };
  const kill = (): void => {
    if (isDead) return;
    isDead = true;
    trace(id, 'dies');
    deps.onDisruption(self, 'died');
  };
  const freeze = (forMs: number): void => {
    if (isDead) return;
    frozenUntilMs = Math.max(frozenUntilMs, loop.now() + forMs);
    trace(id, `freezes for ${forMs} ms`);
    deps.onDisruption(self, 'frozen');
  };

  const self: Process = {
    id,
    isDead: () => isDead,
    frozenUntilMs: () => frozenUntilMs,
    kill,
    freeze,
    deliver,
    call: (site, effect, mayBreak = true) =>
      new Promise((resolve, reject) => {
        if (isDead) return;
        const key = `${id}.${site}`;
        const thereMs = chance.delayMs(`${key}.there`, weather.latencyMs);
        const backMs = chance.delayMs(`${key}.back`, weather.latencyMs);
        if (chance.strikes(`${key}.kill`, weather.kill)) {
          loop.after(chance.whole(`${key}.kill.at`, 0, thereMs + backMs), kill);
        }
        const isOrder = ORDERS.has(site);
        let heldMs = isOrder ? Math.max(0, frozenUntilMs - loop.now()) : 0;
        if (chance.strikes(`${key}.freeze`, weather.freeze)) {
          freeze(chance.whole(`${key}.freeze.for`, 100, FREEZE_MS_MAX));
          if (isOrder && chance.draw(`${key}.freeze.first`) < 0.5) heldMs = frozenUntilMs - loop.now();
        }
        const point = BEFORE_COMMIT[site];
        const diesInside = point !== undefined && chance.strikes(`${id}@${point}`, weather.crashPoint);
        const lost =
          mayBreak && chance.strikes(`${key}.lost`, weather.connection)
            ? chance.pick(`${key}.lost.where`, ['request', 'answer'])
            : null;
        if (lost !== null) deps.onDisruption(self, 'lost a connection');
        loop.after(heldMs + thereMs, () => {
          // What a process sent before it died may arrive or not; what it was still to send does not.
          if (isDead && (heldMs > 0 || chance.draw(`${key}.arrives`) < 0.5)) return;
          if (diesInside) {
            kill();
            return;
          }
          if (lost === 'request') {
            loop.after(backMs, () => deliver(() => reject(new ConnectionLost(site))));
            return;
          }
          const answer = effect();
          const settle = (run: () => void): void => loop.after(backMs, () => deliver(run));
          answer.then(
            (result) =>
              settle(() => {
                if (lost === null) resolve(result);
                else reject(new ConnectionLost(site));
              }),
            (error: unknown) => settle(() => reject(error)),
          );
        });
      }),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (isDead) return;
        if (signal.aborted) {
          loop.after(0, () => deliver(resolve));
          return;
        }
        const wake = (): void => deliver(resolve);
        signal.addEventListener('abort', wake, { once: true });
        loop.after(ms, () => {
          signal.removeEventListener('abort', wake);
          wake();
        });
      }),
    crash: (point) => {
      if (chance.strikes(`${id}@${point}`, weather.crashPoint)) kill();
    },
  };
  return self;
}
