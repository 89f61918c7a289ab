import type { QuietHours } from '../domain/quiet-hours.ts';
import type { Quota } from '../domain/dispatch/quota.ts';
import { LEASE_WIDTH_MAX, type RequestLimit } from '../domain/dispatch/pace.ts';
import type { Chance } from './chance.ts';

/** How often each kind of fault strikes, from 0 to 1 at each occasion. */
export interface Weather {
  readonly kill: number;
  readonly crashPoint: number;
  readonly freeze: number;
  /** A connection to the database breaks before or after the transaction. */
  readonly connection: number;
  /** What the carrier answers is ambiguous. */
  readonly carrier: number;
  /** 429, connection refused, no credit. */
  readonly refusal: number;
  readonly callback: number;
  /** The carrier's list fails, or shows a text late. */
  readonly list: number;
  /** Milliseconds that an answer takes at most. */
  readonly latencyMs: number;
  /** Milliseconds that the carrier takes for one, at most. */
  readonly answerMs: number;
}

/** Something that an owner, a contact or the world does at an instant (machine milliseconds). */
export interface Move {
  readonly name: string;
  readonly atMs: number;
  readonly kind:
    | 'pause'
    | 'resume'
    | 'stop'
    | 'restart'
    | 'move_away'
    | 'hold_sender'
    | 'hold_account'
    | 'opt_out'
    | 'raise_limit'
    | 'carrier_down'
    | 'clock_forward'
    | 'clock_back'
    | 'engine_lost'
    | 'heartbeats_lost'
    | 'watch_lost'
    | 'drain'
    | 'join_list'
    | 'retry_failed'
    | 'resend_unknown';
}

/** One campaign of a scenario. */
export interface PlannedCampaign {
  readonly contacts: number;
  readonly messages: readonly { readonly isConstant: boolean; readonly segments: number }[];
  readonly expiresAfterMs: number | null;
  readonly isOfOtherSender: boolean;
  /** Budget in texts of one segment. */
  readonly textsMax: number | null;
  /** Machine time until it begins. */
  readonly startsAfterMs: number;
}

/** What a seed simulates. */
export interface Scenario {
  readonly weather: Weather;
  /** Campaign time at the beginning. */
  readonly startsAt: number;
  readonly timeZone: string;
  readonly quietHours: QuietHours;
  readonly workers: number;
  readonly slotsMax: number;
  /** The most recipients of one lease; campaigns are too small to need several of production's. */
  readonly leaseWidthMax: number;
  readonly pace: number | null;
  readonly limit: RequestLimit;
  /** How many requests the carrier takes at once; 0 is any number. */
  readonly atOnceMax: number;
  /** What both senders share. */
  readonly quota: Omit<Quota, 'id' | 'name'> | null;
  /** Spend limit in texts. */
  readonly textsMax: number | null;
  readonly campaigns: readonly PlannedCampaign[];
  readonly laneBudgetMs: number;
  /** The carrier reports nothing at all. */
  readonly isSilent: boolean;
  /** How far the carrier's clock is from ours. */
  readonly carrierClockMs: number;
  /** The account has chosen that texts which the list does not have are sent again. */
  readonly resendsAbsent: boolean;
  /** Texts to some numbers always fail, with a code that is worth another attempt. */
  readonly hasStubbornNumbers: boolean;
  /** The unknown ones of a campaign are sent again the moment that it is finished. */
  readonly isHasty: boolean;
  /** Somebody looks on and holds what is going on the moment that people are lost; there is more of that, then. */
  readonly isWatched: boolean;
  readonly moves: readonly Move[];
  /** Machine time at which faults stop. */
  readonly faultsEndAtMs: number;
}

const MOVES = [
  'pause',
  'pause',
  'stop',
  'move_away',
  'hold_sender',
  'hold_account',
  'opt_out',
  'opt_out',
  'opt_out',
  'raise_limit',
  'carrier_down',
  'carrier_down',
  'clock_forward',
  'clock_back',
  'engine_lost',
  'watch_lost',
  'drain',
  'join_list',
  'retry_failed',
  'resend_unknown',
  'resend_unknown',
] as const satisfies readonly [Move['kind'], ...Move['kind'][]];
/** Only a finished campaign has rounds. */
const AFTERWARDS = ['retry_failed', 'resend_unknown'] as const;
const EARLY_MS = 150_000;
const SEGMENTS_MAX = 2;
/** Some names make a personalised text so much longer. */
export const NAME_SEGMENTS_MAX = 2;
/** The most that a text has. */
export const TEXT_SEGMENTS_MAX = SEGMENTS_MAX + NAME_SEGMENTS_MAX;
const ROUNDS_MAX = 3;
const RESTLESS_MS = 30_000;
const SILENCES_MAX = 3;
/** What is done again a while after. */
const UNDONE_BY: Partial<Record<Move['kind'], Move['kind']>> = { pause: 'resume', stop: 'restart' };

/** Noon, just before quiet hours begin, just before they end, and the nights in which the clocks change. */
const STARTS = [
  '2026-03-03T12:00:00-05:00',
  '2026-03-03T19:59:20-05:00',
  '2026-03-03T07:59:30-05:00',
  '2026-03-07T19:59:00-05:00',
  '2026-10-31T19:58:30-04:00',
] as const;

/** What a campaign of the world is made of; they are numbered from 1. */
export function plannedOf({ campaigns }: Scenario, campaignId: string): PlannedCampaign {
  const planned = campaigns[Number(campaignId.replace('cmp', '')) - 1];
  if (planned === undefined) throw new Error(`There is no campaign ${campaignId}.`);
  return planned;
}

/** Makes the scenario of a seed. */
export function makeScenario(chance: Chance): Scenario {
  const odds = (key: string): number => chance.pick(`weather.${key}`, [0, 0, 0.01, 0.03, 0.08]);
  // Where nothing happens to processes, limits can be held to their figures.
  const process = chance.draw('calm') < 0.2 ? 0 : 0.5;
  // A carrier that reports nothing leaves all to its list, and texts close to each other make that hard to read.
  const isSilent = chance.draw('silent') < 0.2;
  // Some owners are restless: much happens while the texts go out, one after the other.
  const isRestless = chance.draw('restless') < 0.3;
  const isWatched = chance.draw('watched') < 0.4;
  // Rounds and new attempts come minutes after the last text.
  const faultsEndAtMs =
    chance.draw('faults.long') < 0.25
      ? chance.whole('faults', 600_000, 1_500_000)
      : chance.whole('faults', 20_000, 150_000);
  return {
    weather: {
      kill: odds('kill') * process,
      crashPoint: odds('crash') * process,
      freeze: odds('freeze') * process,
      connection: odds('connection') * process,
      carrier: Math.max(odds('carrier') * 4, isSilent ? 0.12 : 0),
      refusal: odds('refusal') * 2,
      callback: odds('callback') * 4,
      list: odds('list') * 4,
      answerMs: isSilent ? 12_000 : chance.pick('answer', [0, 0, 500, 12_000]),
      latencyMs: chance.pick('latency', isRestless ? [400, 4_000] : [5, 50, 400, 4_000]),
    },
    startsAt: Date.parse(chance.pick('start', STARTS)),
    timeZone: 'America/New_York',
    quietHours: chance.pick('quiet', [
      { start: '20:00', end: '08:00' },
      { start: '20:00', end: '08:00' },
      { start: '00:00', end: '00:00' },
      { start: '20:00', end: '02:30' },
    ]),
    workers: chance.whole('workers', 1, 3),
    slotsMax: chance.whole('slots', 2, 6),
    pace: isRestless ? 2 : chance.pick('pace', [null, null, 2, 10, 300]),
    limit: chance.pick('limit', [
      { requestsMax: 0, windowMs: 0 },
      { requestsMax: 10, windowMs: 5_000 },
      { requestsMax: 60, windowMs: 5_000 },
    ]),
    atOnceMax: chance.pick('at once', [0, 0, 1, 2, 3]),
    leaseWidthMax: chance.pick('lease width', [2, 3, LEASE_WIDTH_MAX, LEASE_WIDTH_MAX]),
    quota: isSilent ? null : planQuota(chance),
    textsMax: isSilent ? null : chance.pick('spend', [null, null, 5, 12]),
    campaigns: Array.from({ length: chance.pick('campaigns', isSilent ? [2, 3] : [1, 2, 2, 3]) }, () =>
      planCampaign(chance, isSilent),
    ),
    laneBudgetMs: chance.pick('lane budget', [2_000, 20_000, 600_000]),
    isSilent,
    carrierClockMs: chance.pick('carrier.clock', [0, -50_000, 50_000]),
    resendsAbsent: chance.draw('resends') < 0.4,
    hasStubbornNumbers: chance.draw('stubborn') < 0.3,
    isHasty: chance.draw('hasty') < 0.25,
    isWatched,
    moves: [
      ...planMoves(chance, faultsEndAtMs, isRestless),
      ...(isWatched && process > 0 ? planSilence(chance) : []),
    ].toSorted((one, other) => one.atMs - other.atMs),
    faultsEndAtMs,
  };
}

function planCampaign(chance: Chance, isSilent: boolean): PlannedCampaign {
  return {
    contacts: chance.whole('contacts', 1, 11),
    messages: Array.from({ length: chance.pick('messages', [1, 1, 2]) }, () => ({
      isConstant: chance.draw('constant') < (isSilent ? 0.7 : 0.35),
      segments: chance.whole('segments', 1, SEGMENTS_MAX),
    })),
    expiresAfterMs: chance.pick('expires', [null, null, 15_000, 300_000]),
    isOfOtherSender: !isSilent && chance.draw('other sender') < 0.3,
    textsMax: isSilent ? null : chance.pick('budget', [null, null, 4, 9]),
    startsAfterMs: chance.pick(
      'starts',
      isSilent ? [0, 24_000, 28_000, 75_000, 115_000] : [0, 0, 15_000, 70_000],
    ),
  };
}

function planQuota(chance: Chance): Scenario['quota'] {
  if (chance.draw('quota') < 0.6) return null;
  return {
    rateUnits: chance.pick('quota.rate', [null, 1, 4]),
    ratePeriod: 'second',
    dayUnits: chance.pick('quota.day', [null, 6, 15]),
    resetZone: chance.pick('quota.zone', ['America/Los_Angeles', 'America/New_York']),
    sharePercent: chance.pick('quota.share', [100, 100, 50]),
  };
}

/** Where somebody watches, there is something to see: the engine hears nothing of the lanes for a while. */
function planSilence(chance: Chance): Move[] {
  return Array.from({ length: chance.whole('silences', 1, SILENCES_MAX) }, (_, index) => ({
    name: `silence ${index}`,
    atMs: Math.floor(chance.draw('silence.at') ** 2 * RESTLESS_MS),
    kind: 'heartbeats_lost',
  }));
}

function planMoves(chance: Chance, endMs: number, isRestless: boolean): Move[] {
  const moves: Move[] = [];
  const count = isRestless ? chance.whole('moves', 8, 20) : chance.whole('moves', 0, 6);
  const earlyMs = isRestless ? RESTLESS_MS : EARLY_MS;
  for (let index = 0; index < count; index += 1) {
    const kind = chance.pick('move', MOVES);
    // What comes after the last text has the whole time; the rest races the texts themselves.
    const untilMs = AFTERWARDS.some((one) => one === kind) ? endMs : Math.min(endMs, earlyMs);
    const atMs = Math.floor(chance.draw('move.at') ** 2 * untilMs);
    moves.push({ name: `move ${index} ${kind}`, atMs, kind });
    const undo = UNDONE_BY[kind];
    if (undo !== undefined) {
      const laterMs = atMs + chance.whole('undo.after', 1, 30_000);
      moves.push({ name: `move ${index} ${undo}`, atMs: laterMs, kind: undo });
    }
  }
  const rounds = endMs > EARLY_MS ? ROUNDS_MAX : 0;
  for (let index = 0; index < rounds; index += 1) {
    const kind = chance.pick('round', AFTERWARDS);
    moves.push({ name: `round ${index} ${kind}`, atMs: chance.whole('round.at', EARLY_MS, endMs), kind });
  }
  return moves.toSorted((one, other) => one.atMs - other.atMs);
}
