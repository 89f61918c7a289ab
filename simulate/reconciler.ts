import { asAttempt, type UnknownStore } from '../domain/dispatch/unknown-store.ts';
import type { SimulatedCarrier } from './carrier.ts';
import { beat } from './engine.ts';
import type { Fleet, Worker } from './fleet.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** The run that resolves unknown attempts through the carrier's list, until none is left. */
export interface Reconciler {
  /** There may be unknown attempts whose turn it is. */
  readonly look: () => void;
}

const DAY_MS = 86_400_000;
const LOST_WAIT_MS = 1_000;
const CARRIER = 'carrier';

/** A reconciler of one engine; it ends with it. `onWake` is told of campaigns that have somebody to try again. */
export function createReconciler(
  world: World,
  engine: Process,
  deps: {
    readonly fleet: Fleet;
    readonly carrier: SimulatedCarrier;
    readonly onWake: (campaignId: string) => void;
  },
): Reconciler {
  const { loop, protocol, trace } = world;
  let looks = 0;
  let isRunning = false;
  let wake: (() => void) | null = null;

  /** An activity on some worker, tried again until one answers: when the next turn is. */
  const ask = (): Promise<number | null> =>
    new Promise((resolve) => {
      const attempt = (): void => {
        if (engine.isDead()) return;
        const worker = deps.fleet.pick('reconcile.worker');
        if (worker === null) {
          loop.after(LOST_WAIT_MS, attempt);
          return;
        }
        const { process } = worker;
        const abort = new AbortController();
        const isOver = beat(world, process, () => {
          loop.after(LOST_WAIT_MS, attempt);
          process.deliver(() => abort.abort());
        });
        const again = (): void => {
          if (isOver.value) return;
          isOver.value = true;
          loop.after(LOST_WAIT_MS, attempt);
        };
        protocol.reconcile(depsOf(worker), CARRIER, loop.now, abort.signal).then((report) => {
          if (isOver.value) return;
          isOver.value = true;
          trace(process.id, `has asked the list: ${report.accepted} accepted, ${report.absent} absent`);
          engine.deliver(() => {
            for (const campaignId of report.wake) deps.onWake(campaignId);
            resolve(report.nextAt);
          });
        }, again);
      };
      attempt();
    });

  const depsOf = ({ process }: Worker) => ({
    store: remote(world, process, deps.carrier),
    list: (_carrierAccountId: string, question: Parameters<SimulatedCarrier['list']>[0]) =>
      process.call('list', () => Promise.resolve(deps.carrier.list(question)), false),
    machine: { now: loop.now, sleep: process.sleep },
    times: protocol.askingTimes,
  });

  const run = async (): Promise<void> => {
    for (;;) {
      const seen = looks;
      const nextAt = await ask();
      if (nextAt === null && looks === seen) break;
      const delayMs = Math.min(DAY_MS, Math.max(1_000, (nextAt ?? 0) - loop.now()));
      await new Promise<void>((resolve) => {
        wake = () => loop.after(0, () => engine.deliver(resolve));
        loop.after(delayMs, () => engine.deliver(resolve));
      });
      wake = null;
    }
    isRunning = false;
  };

  return {
    look: () => {
      looks += 1;
      wake?.();
      if (isRunning) return;
      isRunning = true;
      run().catch((error: unknown) => world.witness.blame('run', String(error)));
    },
  };

  /** The unknown attempts behind the worker's connection. */
  function remote(of: World, process: Process, carrier: SimulatedCarrier): UnknownStore {
    const raw = protocol.unknowns(of.ledger);
    const via = <Result>(site: string, effect: () => Promise<Result>): Promise<Result> =>
      process.call(`list.${site}`, effect);
    return {
      takeUnknown: (...asked) => via('take', () => raw.takeUnknown(...asked)),
      nextTurnAt: (...asked) => via('next', () => raw.nextTurnAt(...asked)),
      knownTexts: (...asked) => via('known', () => raw.knownTexts(...asked)),
      recordVerdict: (text, evidence, uuid) =>
        via('verdict', () => {
          const key = asAttempt(text);
          if (evidence.verdict === 'absent') of.witness.absent(key, carrier.ledger);
          const who = `${key.recipient}/${key.attempt} of message ${key.messageKey}`;
          trace(process.id, `is told by the list of ${who}: ${evidence.verdict}`);
          return raw.recordVerdict(key, evidence, uuid);
        }),
      putOff: (...asked) => via('put_off', () => raw.putOff(...asked)),
      closeUnknowns: (...asked) => via('close', () => raw.closeUnknowns(...asked)),
      grantList: (...asked) => via('grant', () => raw.grantList(...asked)),
      slowLists: (...asked) => via('slow', () => raw.slowLists(...asked)),
    };
  }
}
