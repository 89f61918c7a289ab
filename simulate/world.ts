import {
  addCampaign,
  addMessage,
  addSender,
  createMemoryLedger,
  freezeMemoryAudience,
  type MemoryLedger,
} from '../domain/dispatch/memory-ledger.ts';
import type { MemoryContact } from '../domain/dispatch/memory-rows.ts';
import type { Chance } from './chance.ts';
import type { EventLoop } from './event-loop.ts';
import type { Protocol } from './protocol.ts';
import { NAME_SEGMENTS_MAX, type Scenario } from './scenario.ts';
import type { Trace } from './trace.ts';
import { createWitness, type Witness } from './witness.ts';

/** Campaign time: it goes with machine time, and jumps. */
export interface CampaignClock {
  readonly now: () => number;
  /** The latest instant that it has ever shown. */
  readonly latest: () => number;
  readonly jump: (ms: number) => void;
}

/** Everything of one seed. */
export interface World {
  readonly loop: EventLoop;
  readonly chance: Chance;
  readonly scenario: Scenario;
  readonly trace: Trace;
  readonly protocol: Protocol;
  readonly ledger: MemoryLedger;
  readonly clock: CampaignClock;
  readonly witness: Witness;
}

/** What every segment costs here. */
export const SEGMENT_MICRO_USD = 1_000;
export const ACCOUNT = 'acc';
export const SENDER = 'sender';
/** Another one on the same carrier account. */
export const OTHER_SENDER = 'sender2';
const QUOTA = 'quota';
const LONG_NAME_EVERY = 3;

/** The ledger of a scenario, frozen and ready to send. */
export function createWorld(
  parts: Pick<World, 'loop' | 'chance' | 'scenario' | 'trace' | 'protocol'>,
): World {
  const { loop, scenario } = parts;
  const ledger = createMemoryLedger({
    accountId: ACCOUNT,
    timeZone: scenario.timeZone,
    quietHours: scenario.quietHours,
    spendLimitMicroUsd: scenario.textsMax === null ? null : scenario.textsMax * SEGMENT_MICRO_USD,
    segmentMicroUsd: SEGMENT_MICRO_USD,
    leaseWidthMax: scenario.leaseWidthMax,
    limit: scenario.limit,
    atOnceMax: scenario.atOnceMax,
    machineNow: loop.now,
  });
  ledger.resendAbsentSince = scenario.resendsAbsent ? 0 : null;
  for (const id of [SENDER, OTHER_SENDER]) {
    const sender = addSender(ledger, id, scenario.pace);
    if (scenario.quota !== null) sender.quotaIds.push(QUOTA);
  }
  if (scenario.quota !== null) {
    const quota = { id: QUOTA, name: QUOTA, ...scenario.quota };
    ledger.quotas.set(QUOTA, { quota, use: { day: '', dayHundredths: 0 }, nextFreeAt: 0 });
  }
  for (const [index, campaign] of scenario.campaigns.entries()) {
    const id = `cmp${index + 1}`;
    // Audiences of two campaigns overlap, and some number is twice in a list.
    const contacts = Array.from({ length: campaign.contacts }, (_, contact) => contactOf(contact));
    const senderId = campaign.isOfOtherSender ? OTHER_SENDER : SENDER;
    const added = addCampaign(ledger, { id, senderId, contacts: [...contacts, contactOf(0)] });
    added.budgetMicroUsd = campaign.textsMax === null ? null : campaign.textsMax * SEGMENT_MICRO_USD;
    for (const [position, message] of campaign.messages.entries()) {
      const { expiresAfterMs } = campaign;
      addMessage(ledger, {
        id: `${id}.msg${position + 1}`,
        campaignId: id,
        ...message,
        expiresAt: expiresAfterMs === null ? null : scenario.startsAt + expiresAfterMs,
        expiresAfterMs,
      });
    }
    freezeMemoryAudience(ledger, id);
  }
  const clock = createCampaignClock(loop, scenario.startsAt);
  return { ...parts, ledger, clock, witness: createWitness({ loop, ledger, clock, scenario }) };
}

/** The contact of an index; no number of theirs is anybody's. */
export function contactOf(index: number): MemoryContact {
  const number = `+1555010${String(index).padStart(4, '0')}`;
  return { number, name: `n${index}`, nameSegments: index % LONG_NAME_EVERY === 1 ? NAME_SEGMENTS_MAX : 0 };
}

function createCampaignClock(loop: EventLoop, startsAt: number): CampaignClock {
  let jumpedMs = 0;
  let latest = startsAt;
  const now = (): number => {
    const at = Math.floor(startsAt + jumpedMs + loop.now());
    latest = Math.max(latest, at);
    return at;
  };
  return {
    now,
    latest: () => Math.max(latest, now()),
    jump: (ms) => {
      now();
      jumpedMs += ms;
    },
  };
}
