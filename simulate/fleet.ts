import type { DispatchStore } from '../domain/dispatch/dispatch-store.ts';
import type { LaneDeps } from '../domain/dispatch/lane.ts';
import type { CarrierNotes } from '../domain/dispatch/carrier-watch.ts';
import { circuitStateOf, noteMemoryFailures, noteMemoryTaken } from '../domain/dispatch/memory-circuits.ts';
import { CARRIER_ACCOUNT, messageOf, senderOf } from '../domain/dispatch/memory-ledger.ts';
import { createSlots } from '../domain/dispatch/slots.ts';
import type { WatchMemory } from '../domain/dispatch/watch-memory.ts';
import type { SimulatedCarrier } from './carrier.ts';
import { type Process, type ProcessDeps, startProcess } from './process.ts';
import type { LaneWitness } from './witness.ts';
import type { World } from './world.ts';

/** Nobody aborts it. */
const NEVER = new AbortController().signal;

/** One worker process with its slots and its watch over gates and opt-outs. */
export interface Worker {
  readonly process: Process;
  readonly watch: WatchMemory;
  readonly draining: AbortController;
  /** The last end, in machine time, of a carrier's pause of which it has heard. */
  pausedUntil: number;
  readonly depsOf: (run: LaneWitness) => LaneDeps;
}

/** All worker processes; whoever dies is replaced a while after. */
export interface Fleet {
  /** Some worker that takes work, or null. */
  readonly pick: (key: string) => Worker | null;
  readonly gateMoved: (scope: string) => void;
  readonly suppressed: (number: string) => void;
  /** The connections over which some worker hears of gates break. */
  readonly loseWatch: () => void;
  /** Some worker is told to stop; it ends what it has leased. */
  readonly drain: () => void;
}

const RESTART_MS_MAX = 20_000;
const RECONNECT_MS = 500;

/** Starts the workers of a scenario. */
export function startFleet(world: World, processDeps: ProcessDeps, carrier: SimulatedCarrier): Fleet {
  const { loop, chance, ledger, scenario, protocol } = world;
  const workers: Worker[] = [];
  let started = 0;

  const launch = (): void => {
    started += 1;
    const process = startProcess(processDeps, `w${started}`);
    const worker = createWorker(world, process, carrier);
    workers.push(worker);
    connect(world, worker);
  };
  const replace = (worker: Worker): void => {
    workers.splice(workers.indexOf(worker), 1);
    loop.after(chance.whole('worker.restart', 100, RESTART_MS_MAX), launch);
  };
  const alive = (): Worker[] => {
    for (const worker of workers.filter((one) => one.process.isDead())) replace(worker);
    return workers;
  };
  for (let count = 0; count < scenario.workers; count += 1) launch();

  const notify = (tell: (worker: Worker) => void): void => {
    for (const worker of alive()) {
      loop.after(chance.delayMs('notice', scenario.weather.latencyMs), () =>
        worker.process.deliver(() => tell(worker)),
      );
    }
  };
  return {
    pick: (key) => {
      const [first, ...others] = alive().filter((worker) => !worker.draining.signal.aborted);
      return first === undefined ? null : chance.pick(key, [first, ...others]);
    },
    gateMoved: (scope) =>
      notify((worker) => {
        const read = worker.watch.gateMoved(scope);
        worker.process
          .call('readGate', () => Promise.resolve(ledger.gates.get(scope)))
          .then(
            (holds) => worker.watch.gateRead(read, holds),
            () => connect(world, worker),
          );
      }),
    suppressed: (number) =>
      notify((worker) => worker.watch.suppressionMoved(`+${ledger.accountId} ${number}`)),
    loseWatch: () => {
      const worker = alive().find((one) => !one.process.isDead());
      if (worker !== undefined) connect(world, worker);
    },
    drain: () => {
      const worker = alive().find((one) => !one.draining.signal.aborted);
      if (worker === undefined) return;
      worker.draining.abort();
      loop.after(chance.whole('worker.drained', 1_000, RESTART_MS_MAX), worker.process.kill);
    },
  };

  function createWorker(of: World, process: Process, to: SimulatedCarrier): Worker {
    const slots = createSlots(scenario.slotsMax);
    const watch = protocol.watch(loop.now);
    const draining = new AbortController();
    const raw = withNotices(protocol.store(ledger));
    const machine = { now: loop.now, sleep: process.sleep };
    const permits = protocol.permits(ledger, process.id);
    const atOnce = protocol.atOnce({
      permits: {
        claim: (...asked) => process.call('permits', () => permits.claim(...asked)),
        release: (...asked) => process.call('permits', () => permits.release(...asked)),
      },
      machine,
      wanted: scenario.slotsMax,
      onError: () => undefined,
    });
    const notes: CarrierNotes = {
      now: loop.now,
      taken: (scopeIds) => process.call('circuit', () => Promise.resolve(noteMemoryTaken(ledger, scopeIds))),
      failed: (scopeIds, failures) =>
        process.call('circuit', () => {
          const { isOpen, opened } = noteMemoryFailures(ledger, scopeIds, failures);
          for (const scopeId of opened) notify((one) => one.watch.circuitOpened(scopeId));
          return Promise.resolve(isOpen);
        }),
      tell: () => Promise.resolve(),
    };
    const self: Worker = {
      process,
      watch,
      draining,
      pausedUntil: 0,
      depsOf: (run) => ({
        store: protocol.listen(protocol.remoteStore(remote(of, process, raw, run), ledger), notes),
        slots,
        unlimitedSlots: slots,
        atOnce,
        machine,
        turn: () => process.sleep(0, NEVER),
        crash: process.crash,
        permission: watch.permission,
        post: async (lease, request, people) => {
          const knowsBetter = people.some((person) => watch.permission(lease, person, loop.now()) !== 'open');
          if (!process.isDead()) {
            of.witness.posted(lease, request, people, { knowsBetter, pausedUntil: self.pausedUntil });
          }
          return protocol.classify(await process.call('post', () => to.serve(lease, request, people), false));
        },
      }),
    };
    return self;
  }

  /** Every worker hears of a pause that the carrier has asked for. */
  function withNotices(store: DispatchStore): DispatchStore {
    return {
      ...store,
      slowDown: (lease, delayMs) => {
        const until = loop.now() + delayMs;
        notify((worker) => {
          worker.watch.carrierPaused(CARRIER_ACCOUNT, delayMs);
          worker.pausedUntil = Math.max(worker.pausedUntil, until);
        });
        return store.slowDown(lease, delayMs);
      },
    };
  }
}

/** Hears nothing for a while, then listens again and reads all closed gates. */
function connect(world: World, worker: Worker): void {
  const { loop, ledger } = world;
  worker.watch.lost();
  const listen = (): void => {
    worker.watch.connecting();
    worker.process
      .call('readGates', () =>
        Promise.resolve([...ledger.gates].filter(([, holds]) => holds > 0).map(([scope]) => scope)),
      )
      .then(worker.watch.connected, () => loop.after(RECONNECT_MS, () => worker.process.deliver(listen)));
  };
  loop.after(RECONNECT_MS, () => worker.process.deliver(listen));
}

/** The ledger behind the worker's connection. */
function remote(world: World, process: Process, raw: DispatchStore, run: LaneWitness): DispatchStore {
  const { trace, witness, ledger } = world;
  return {
    enterLane: (lane, askedAt) => process.call('enterLane', () => raw.enterLane(lane, askedAt)),
    openLeases: (lane, fence, at, slots) =>
      process.call('openLeases', async () => {
        const before = circuitStateOf(ledger, [
          senderOf(ledger, messageOf(ledger, lane.messageId)).id,
          CARRIER_ACCOUNT,
        ]);
        const answer = await raw.openLeases(lane, fence, at, slots);
        if (answer.kind === 'leased') {
          witness.leased(answer.leases, run, slots, before);
          for (const { id, recipients } of answer.leases) {
            const people = recipients.map((one) => `${one.recipient}/${one.attempt}`);
            trace(process.id, `leases ${id} of ${lane.messageId}: ${people.join(' ')}`);
          }
        } else trace(process.id, `is told ${answer.kind} for ${lane.messageId}`);
        return answer;
      }),
    record: (lease, results, retryAt) =>
      process.call('record', () => {
        const words = results.map((one) => `${one.recipient}/${one.attempt} ${one.result}`);
        trace(process.id, `records lease ${lease.id}: ${words.join(', ')}`);
        return raw.record(lease, results, retryAt);
      }),
    grantAgain: (lease, left) => process.call('grantAgain', () => raw.grantAgain(lease, left)),
    slowDown: (lease, delayMs) =>
      process.call('slowDown', () => {
        witness.slowed(delayMs);
        return raw.slowDown(lease, delayMs);
      }),
  };
}
