import { campaignOf } from '../domain/dispatch/memory-ledger.ts';
import type { SimulatedCarrier } from './carrier.ts';
import type { Engine } from './engine.ts';
import type { Fleet } from './fleet.ts';
import type { Office, OrderKind } from './office.ts';
import type { Move } from './scenario.ts';
import { ACCOUNT, contactOf, OTHER_SENDER, SENDER, SEGMENT_MICRO_USD, type World } from './world.ts';

/** Whoever acts from outside: owners, contacts, operators, the world's clocks. */
export interface Owner {
  /** Lifts everything that keeps campaigns from their end, again and again until they reach it. */
  readonly healAll: () => void;
}

const REPAIR_MS = 30_000;
const CALM_REPAIR_MS = 600_000;
const RESUME_MS_MAX = 60_000;
const HOLD_MS_MAX = 60_000;
const RESTARTS_LATER_MS = [0, 20_000, 90_000] as const;
const OUTAGES_MS = [10_000, 40_000, 700_000] as const;

/** Carries out the moves of the scenario. */
export function startOwner(
  world: World,
  deps: {
    readonly engine: Engine;
    readonly fleet: Fleet;
    readonly office: Office;
    readonly carrier: SimulatedCarrier;
  },
): Owner {
  const { loop, chance, ledger, scenario, clock, trace, witness } = world;
  const { engine, fleet, office, carrier } = deps;
  let isCalm = false;

  const campaigns = [...ledger.campaigns.keys()];
  const someCampaign = (): string =>
    chance.pick('owner.campaign', [campaigns[0] ?? '', ...campaigns.slice(1)]);
  const pokeAll = (): void => campaigns.forEach(engine.poke);
  /** The API may die after the order and before it told the workflow; repair tells it then. */
  const order = (campaignId: string, kind: OrderKind, laterMs = 0): void => {
    // What is refused is no word of the owner's.
    if (!office.order(campaignId, kind, laterMs)) return;
    witness.ownerSaid(campaignId, kind === 'stop' ? 'stop' : 'go');
    if (!chance.strikes('api@hold.committed', scenario.weather.crashPoint)) engine.poke(campaignId);
  };
  const pause = (campaignId: string): void => {
    office.hold(campaignId, 'pause');
    witness.ownerSaid(campaignId, 'stop');
  };
  const holdFor = (scope: string, ms: number): void => {
    office.moveGate(scope, 1);
    loop.after(ms, () => {
      office.moveGate(scope, -1);
      pokeAll();
    });
  };

  const act = (move: Move): void => {
    trace('owner', move.kind);
    switch (move.kind) {
      case 'pause':
        pause(someCampaign());
        break;
      case 'resume':
        for (const campaignId of campaigns) order(campaignId, 'resume');
        break;
      case 'restart':
        for (const campaignId of campaigns)
          order(campaignId, 'restart', chance.pick('restart.later', RESTARTS_LATER_MS));
        break;
      case 'move_away': {
        // A message that has begun has no other way to another time.
        const campaignId = someCampaign();
        order(campaignId, 'stop');
        order(campaignId, 'restart', chance.pick('restart.later', RESTARTS_LATER_MS));
        break;
      }
      case 'stop':
        order(someCampaign(), 'stop');
        break;
      case 'hold_sender':
        holdFor(
          chance.pick('hold.sender', [SENDER, SENDER, OTHER_SENDER]),
          chance.whole('hold.for', 1, HOLD_MS_MAX),
        );
        break;
      case 'hold_account':
        holdFor(ACCOUNT, chance.whole('hold.for', 1, HOLD_MS_MAX));
        break;
      case 'opt_out': {
        const { number } = contactOf(chance.whole('owner.contact', 0, 14));
        if (ledger.suppressed.has(number)) break;
        ledger.suppressed.set(number, 'opt_out');
        witness.suppressed(number);
        fleet.suppressed(number);
        break;
      }
      case 'raise_limit':
        if (ledger.spendLimitMicroUsd !== null) ledger.spendLimitMicroUsd += 4 * SEGMENT_MICRO_USD;
        for (const campaign of ledger.campaigns.values()) {
          if (campaign.budgetMicroUsd !== null) campaign.budgetMicroUsd += 3 * SEGMENT_MICRO_USD;
        }
        break;
      case 'carrier_down':
        carrier.breakDown(chance.pick('down.for', OUTAGES_MS));
        break;
      case 'clock_forward':
        clock.jump(chance.pick('jump', [1_000, 60_000, 3_600_000, 11 * 3_600_000]));
        break;
      case 'clock_back':
        clock.jump(-chance.pick('jump', [1_000, 60_000, 3_600_000]));
        break;
      case 'heartbeats_lost':
        engine.loseHeartbeats();
        break;
      case 'engine_lost':
        engine.loseEverything();
        break;
      case 'watch_lost':
        fleet.loseWatch();
        break;
      case 'drain':
        fleet.drain();
        break;
      case 'retry_failed':
      case 'resend_unknown':
        for (const campaignId of campaigns) office.round(campaignId, move.kind);
        pokeAll();
        break;
      case 'join_list':
        campaignOf(ledger, someCampaign()).contacts.push(contactOf(20 + chance.whole('owner.joins', 0, 3)));
        break;
    }
  };

  const resumeSuspended = (): void => {
    for (const campaignId of campaigns) {
      const held = office.holdsOn(campaignId);
      if (held.length === 0 || !(isCalm || held.every((kind) => kind.startsWith('suspend')))) continue;
      order(campaignId, held.includes('stop') ? 'restart' : 'resume');
    }
  };
  /** Once it is calm the run looks again by itself. */
  const isAskedFor = (): boolean =>
    [...ledger.messages.values()].some(({ entries }) =>
      [...entries.values()].some(({ attempts }) =>
        attempts.some(({ doubt }) => doubt !== null && (isCalm || doubt.nextAskAt <= loop.now())),
      ),
    );
  const repair = (): void => {
    engine.startRuns();
    if (isAskedFor()) engine.lookAtUnknowns();
    if (isCalm && office.isIdle()) return;
    if (isCalm || chance.draw('owner.resumes') * RESUME_MS_MAX < REPAIR_MS) resumeSuspended();
    pokeAll();
    loop.after(isCalm ? CALM_REPAIR_MS : REPAIR_MS, repair);
  };
  for (const move of scenario.moves) {
    loop.after(move.atMs, () => {
      if (!isCalm && !chance.isDropped(move.name)) act(move);
    });
  }
  loop.after(REPAIR_MS, repair);

  return {
    healAll: () => {
      isCalm = true;
      ledger.spendLimitMicroUsd = null;
      for (const campaign of ledger.campaigns.values()) campaign.budgetMicroUsd = null;
      // A daily cap would keep a campaign for as many days as it has to be shared out over.
      for (const one of ledger.quotas.values()) one.quota = { ...one.quota, dayUnits: null };
    },
  };
}
