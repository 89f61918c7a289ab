import { receiveCallbacks } from './callbacks.ts';
import { createCarrier } from './carrier.ts';
import { createChance } from './chance.ts';
import { type Engine, startEngine } from './engine.ts';
import { createEventLoop } from './event-loop.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { checkInvariants } from './invariants.ts';
import { createOffice } from './office.ts';
import { startOwner } from './owner.ts';
import type { ProcessDeps } from './process.ts';
import { PROTOCOL, type Protocol } from './protocol.ts';
import { makeScenario } from './scenario.ts';
import { createTrace } from './trace.ts';
import { createWorld } from './world.ts';

/** How a seed went. */
export interface SeedResult {
  readonly seed: number;
  /** What did not hold; empty when all invariants did. */
  readonly violations: readonly string[];
  /** Names of the faults that struck and of the moves that were made, in order. */
  readonly plan: readonly string[];
  /** What happened, where it was asked for. */
  readonly trace: readonly string[];
  readonly events: number;
  readonly accepted: number;
}

/** How to run a seed. */
export interface SeedOptions {
  readonly protocol?: Protocol;
  readonly dropped?: ReadonlySet<string>;
  readonly keepsTrace?: boolean;
}

/** Everything has come to its end this long after faults stop, or never does. */
const END_MS_MAX = 4 * 86_400_000;

/** Simulates one seed from the first lease to the last callback, and checks every invariant. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const loop = createEventLoop();
  const chance = createChance(seed, options.dropped ?? new Set());
  const scenario = makeScenario(chance);
  const { trace, lines } = createTrace(loop.now, options.keepsTrace ?? false);
  const protocol = options.protocol ?? PROTOCOL;
  const world = createWorld({ loop, chance, scenario, trace, protocol });
  const processDeps: ProcessDeps = {
    loop,
    chance,
    weather: scenario.weather,
    trace,
    onDisruption: (process) => world.witness.disrupted(process.id),
  };
  const links: { fleet: Fleet | null; engine: Engine | null } = { fleet: null, engine: null };
  const callbacks = receiveCallbacks(world, processDeps, (number) => links.fleet?.suppressed(number));
  const carrier = createCarrier(world, callbacks);
  const fleet = startFleet(world, processDeps, carrier);
  const office = createOffice(world, (scope) => {
    fleet.gateMoved(scope);
    for (const campaignId of world.ledger.campaigns.keys()) links.engine?.poke(campaignId);
  });
  const engine = startEngine(world, processDeps, { fleet, office, carrier });
  links.fleet = fleet;
  links.engine = engine;
  const owner = startOwner(world, { engine, fleet, office, carrier });

  let events = 0;
  try {
    events += await loop.run(scenario.faultsEndAtMs);
    trace('world', 'faults stop');
    chance.endFaults();
    owner.healAll();
    events += await loop.run(scenario.faultsEndAtMs + END_MS_MAX);
    checkInvariants(world, carrier.ledger);
  } catch (error) {
    world.witness.blame('I7', String(error));
  }
  const moves = scenario.moves.map((move) => move.name).filter((name) => !chance.isDropped(name));
  return {
    seed,
    violations: world.witness.violations,
    plan: [...moves, ...chance.struck],
    trace: lines,
    events,
    accepted: carrier.ledger.length,
  };
}
