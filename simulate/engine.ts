import { waitAfter } from '../domain/dispatch/lane.ts';
import { messagesOf } from '../domain/dispatch/memory-ledger.ts';
import type { Fleet, Worker } from './fleet.ts';
import type { Office } from './office.ts';
import type { SimulatedCarrier } from './carrier.ts';
import { createReconciler } from './reconciler.ts';
import { plannedOf } from './scenario.ts';
import { type Process, type ProcessDeps, startProcess } from './process.ts';
import type { LaneWitness } from './witness.ts';
import type { World } from './world.ts';

/** What runs workflows. It outlives every worker; losing its data ends all runs at once. */
export interface Engine {
  readonly poke: (campaignId: string) => void;
  /** There may be unknown attempts whose turn it is. */
  readonly lookAtUnknowns: () => void;
  /** It was away for as long as a lane may be silent: all that run count as lost, and live on until they hear of it. */
  readonly loseHeartbeats: () => void;
  /** All runs are gone; `startRuns` begins them anew from the ledger. */
  readonly loseEverything: () => void;
  readonly startRuns: () => void;
}

const BEAT_MS = 3_000;
const HEARTBEAT_TIMEOUT_MS = 15_000;
/** The worker hears of a lost lane with one of its next heartbeats, of which the SDK holds some back. */
const HEARS_MS_MAX = 12_000;
const LOST_LANE_WAIT_MS = 1_000;
const ACTIVITY_TIMEOUT_MS = 30_000;
const DAY_MS = 86_400_000;

/** What workflows reach the world through. */
interface EngineDeps {
  readonly fleet: Fleet;
  readonly office: Office;
  readonly carrier: SimulatedCarrier;
}

/** The workflows of a message and of a campaign, in the words of `workflows/`. */
export function startEngine(world: World, processDeps: ProcessDeps, deps: EngineDeps): Engine {
  let runs = 0;
  let current: Runs | null = null;
  const startRuns = (): void => {
    if (current !== null) return;
    runs += 1;
    current = createRuns(world, startProcess(processDeps, `engine${runs}`), deps);
  };
  startRuns();
  return {
    poke: (campaignId) => current?.poke(campaignId),
    lookAtUnknowns: () => current?.lookAtUnknowns(),
    loseHeartbeats: () => current?.loseHeartbeats(),
    loseEverything: () => {
      current?.end();
      current = null;
    },
    startRuns,
  };
}

interface Runs {
  readonly poke: (campaignId: string) => void;
  readonly lookAtUnknowns: () => void;
  readonly loseHeartbeats: () => void;
  readonly end: () => void;
}

function createRuns(world: World, engine: Process, { fleet, office, carrier }: EngineDeps): Runs {
  const { loop, chance, ledger, clock, protocol, trace, witness, scenario } = world;
  const pokes = new Map<string, number>();
  const wakers = new Map<string, (() => void)[]>();
  const lanes = new Set<LaneWitness>();
  /** What makes each of them count as lost. */
  const losses = new Map<LaneWitness, () => void>();

  /** Resolves when the campaign is poked or the time is over. */
  const wait = (campaignId: string, seen: number, ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (pokes.get(campaignId) !== seen) {
        loop.after(0, () => engine.deliver(resolve));
        return;
      }
      const waiting = wakers.get(campaignId) ?? [];
      wakers.set(campaignId, [...waiting, () => loop.after(0, () => engine.deliver(resolve))]);
      loop.after(ms, () => engine.deliver(resolve));
    });
  const poke = (campaignId: string): void => {
    pokes.set(campaignId, (pokes.get(campaignId) ?? 0) + 1);
    const waiting = wakers.get(campaignId) ?? [];
    wakers.delete(campaignId);
    for (const wake of waiting) wake();
  };

  const reconciler = createReconciler(world, engine, { fleet, carrier, onWake: poke });

  /** A short activity, tried again until some worker answers. */
  const activity = <Result>(site: string, effect: () => Result): Promise<Result> =>
    new Promise((resolve) => {
      const attempt = (times: number): void => {
        if (engine.isDead()) return;
        const worker = fleet.pick(`${site}.worker`);
        let isSettled = false;
        const again = (): void => {
          if (isSettled) return;
          isSettled = true;
          loop.after(Math.min(ACTIVITY_TIMEOUT_MS, 200 * 2 ** times), () => attempt(times + 1));
        };
        if (worker === null) {
          again();
          return;
        }
        loop.after(ACTIVITY_TIMEOUT_MS, again);
        worker.process
          .call(site, () => Promise.resolve(effect()))
          .then((result) => {
            if (isSettled) return;
            isSettled = true;
            engine.deliver(() => resolve(result));
          }, again);
      };
      attempt(0);
    });

  const sendLane = (messageId: string, lane: number): Promise<number> =>
    new Promise((resolve) => {
      const at = clock.now();
      const finish = (waitMs: number): void => engine.deliver(() => resolve(waitMs));
      const begin = (): void => {
        if (engine.isDead()) return;
        const worker = fleet.pick('lane.worker');
        if (worker === null) loop.after(LOST_LANE_WAIT_MS, begin);
        else loop.after(chance.delayMs('lane.start', scenario.weather.latencyMs), () => work(worker));
      };
      const work = (worker: Worker): void => {
        const { process, draining } = worker;
        const run: LaneWitness = {
          messageId,
          workerId: process.id,
          isDisrupted: process.isDead() || engine.isDead(),
        };
        const abort = new AbortController();
        lanes.add(run);
        witness.began(run);
        const end = (waitMs: number): void => {
          lanes.delete(run);
          losses.delete(run);
          finish(waitMs);
        };
        const lose = (): void => {
          run.isDisrupted = true;
          end(LOST_LANE_WAIT_MS);
          const hearsMs = chance.whole('lane.hears', BEAT_MS, HEARS_MS_MAX);
          process.deliver(() => loop.after(hearsMs, () => process.deliver(() => abort.abort())));
        };
        const isOver = beat(world, process, lose);
        losses.set(run, () => {
          isOver.value = true;
          lose();
        });
        const report = protocol.runLane(worker.depsOf(run), {
          lane: { accountId: ledger.accountId, campaignId: messageId.split('.')[0] ?? '', messageId, lane },
          askedAt: at,
          campaignNow: () => Math.max(at, clock.now()),
          budgetMs: scenario.laneBudgetMs,
          signal: abort.signal,
          draining: draining.signal,
        });
        report
          .then(async (ended) => {
            trace(process.id, `ends lane ${lane} of ${messageId}: ${ended.end.kind}`);
            const { end: why } = ended;
            if (why.kind === 'suspend') {
              await process.call('suspend', () => Promise.resolve(office.suspend(messageId, why)));
            }
            isOver.value = true;
            end(waitAfter(ended));
          })
          .catch(() => {
            trace(process.id, `fails in lane ${lane} of ${messageId}`);
            run.isDisrupted = true;
            isOver.value = true;
            end(LOST_LANE_WAIT_MS);
          });
      };
      begin();
    });

  const runMessage = async (messageId: string, campaignId: string): Promise<void> => {
    for (;;) {
      const seen = pokes.get(campaignId) ?? 0;
      const at = clock.now();
      const plan = await activity('plan', () =>
        office.watched(messageId, () => protocol.plan(ledger, messageId, at)),
      );
      trace(engine.id, `plans ${messageId}: ${plan.kind}`);
      switch (plan.kind) {
        case 'done':
        case 'held':
          return;
        case 'expire':
          await activity('expire', () => protocol.expire(ledger, messageId));
          break;
        case 'sleep':
          await wait(campaignId, seen, Math.min(DAY_MS, Math.max(1, plan.until - clock.now())));
          break;
        case 'send': {
          const waits = await Promise.all(
            Array.from({ length: plan.lanes }, (_, lane) => sendLane(messageId, lane)),
          );
          const waitMs = Math.min(...waits);
          if (waitMs > 0) await wait(campaignId, seen, waitMs);
          break;
        }
      }
    }
  };

  const runCampaign = async (campaignId: string): Promise<void> => {
    const running = new Set<string>();
    const { startsAfterMs } = plannedOf(scenario, campaignId);
    while (loop.now() < startsAfterMs) {
      await wait(campaignId, pokes.get(campaignId) ?? 0, startsAfterMs - loop.now());
    }
    for (;;) {
      const seen = pokes.get(campaignId) ?? 0;
      const lookAt = await activity('step', () => office.step(campaignId, running));
      for (const message of messagesOf(ledger, campaignId)) {
        if (running.has(message.id) || !office.isToRun(message.id)) continue;
        running.add(message.id);
        runMessage(message.id, campaignId).then(
          () => {
            running.delete(message.id);
            poke(campaignId);
          },
          (error: unknown) => witness.blame('run', String(error)),
        );
      }
      const waitMs = lookAt === null ? DAY_MS : Math.max(1, lookAt - clock.now());
      await wait(campaignId, seen, Math.min(DAY_MS, waitMs));
    }
  };

  for (const campaignId of ledger.campaigns.keys()) {
    pokes.set(campaignId, 0);
    runCampaign(campaignId).catch((error: unknown) => witness.blame('run', String(error)));
  }
  return {
    poke,
    lookAtUnknowns: reconciler.look,
    loseHeartbeats: () => {
      for (const lose of losses.values()) lose();
    },
    end: () => {
      engine.kill();
      for (const run of lanes) run.isDisrupted = true;
    },
  };
}

/** Watches over a process's heartbeats and says once that they have stopped. */
export function beat(world: World, process: Process, onLost: () => void): { value: boolean } {
  const { loop } = world;
  const isOver = { value: false };
  let heardAt = loop.now();
  const look = (): void => {
    if (isOver.value) return;
    if (!process.isDead() && loop.now() >= process.frozenUntilMs()) heardAt = loop.now();
    if (loop.now() - heardAt < HEARTBEAT_TIMEOUT_MS) {
      loop.after(BEAT_MS, look);
      return;
    }
    isOver.value = true;
    onLost();
  };
  loop.after(BEAT_MS, look);
  return isOver;
}
