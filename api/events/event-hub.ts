import type { Db } from '../../db/database.ts';
import {
  type CampaignProgress,
  eventsAfter,
  type LiveEvent,
  liveProgress,
  numberEvents,
} from '../../db/events.ts';
import { readersInForce, type ReportReader } from '../../db/readers-in-force.ts';
import { BEAT, eventFrame, type Frame, progressFrame } from './frames.ts';

/** Somebody who listens to an account, or to one of its campaigns. */
export interface LiveReader extends ReportReader {
  /** Null listens to the whole account. */
  readonly campaignId: string | null;
  readonly onEvent: (event: LiveEvent, frame: Frame) => void;
  readonly onProgress: (frame: Frame) => void;
  readonly onBeat: (frame: Frame) => void;
  /** Ends the stream in order. */
  readonly end: () => void;
}

/** Reads what happens once for all readers of this process. */
export interface EventHub {
  /** Resolves when everything that commits from now on will reach the reader. */
  readonly add: (reader: LiveReader) => Promise<void>;
  readonly remove: (reader: LiveReader) => void;
  /** Whether somebody may still listen: he is told nothing that came after his key, or what it may see, was withdrawn. */
  readonly isInForce: (reader: ReportReader) => Promise<boolean>;
  readonly readersOf: (accountId: string) => number;
  readonly size: () => number;
  /** Ends every stream; nobody can be added any more. */
  readonly close: () => Promise<void>;
}

/** Nobody waits longer than this for an event, beside what the database needs. */
const POLL_MS = 100;
/** Two a second a campaign at most. */
const PROGRESS_MS = 500;
const BEAT_MS = 15_000;
/** Few enough that a reader who keeps up takes them before the next come. */
const EVENTS_AT_ONCE = 500;

/**
 * The rows are polled instead of announced by NOTIFY: that lets only one transaction of the whole database commit at a
 * time, and everybody who writes would pay for those who read. While nobody listens nothing is asked.
 */
export function createEventHub(
  db: Db,
  onError: (error: unknown) => void,
  beatMs: number = BEAT_MS,
): EventHub {
  const readers = new Set<LiveReader>();
  /** The same by the id of what they listen to. */
  const audiences = new Map<string, Set<LiveReader>>();
  /** What was said of each campaign last, so that progress is told only when there is some. */
  let told = new Map<string, string>();
  /** Everything up to it has been handed out; null while nobody listens. */
  let position: number | null = null;
  let progressAt = performance.now() - PROGRESS_MS;
  let isClosed = false;
  let hasFailed = false;
  let round: Promise<void> | null = null;
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;

  const runRound = async (): Promise<void> => {
    // Whoever was added before this round began is served by it.
    const served = waiting;
    waiting = [];
    try {
      await readEvents();
      if (performance.now() - progressAt >= PROGRESS_MS) await readProgress();
      for (const resolve of served) resolve();
      hasFailed = false;
    } catch (error) {
      waiting.push(...served);
      hasFailed = true;
      onError(error);
    }
  };

  const readEvents = async (): Promise<void> => {
    const newest = await numberEvents(db);
    position ??= newest;
    for (;;) {
      const accountIds = [...new Set([...readers].map((reader) => reader.accountId))];
      const events = await eventsAfter(db, position, accountIds, EVENTS_AT_ONCE);
      if (events.length > 0) await endRevoked();
      for (const event of events) hand(event);
      const isAll = events.length < EVENTS_AT_ONCE;
      position = Math.max(position, events.at(-1)?.position ?? 0, isAll ? newest : 0);
      if (isAll) return;
    }
  };

  const hand = (event: LiveEvent): void => {
    const frame = eventFrame(event);
    for (const reader of listeners(event.accountId, event.campaignId)) reader.onEvent(event, frame);
  };

  function* listeners(accountId: string, campaignId: string | null): Generator<LiveReader> {
    yield* audiences.get(accountId) ?? [];
    if (campaignId !== null) yield* audiences.get(campaignId) ?? [];
  }

  const readProgress = async (): Promise<void> => {
    const startedAt = performance.now();
    const whole = new Set<string>();
    const single = new Set<string>();
    for (const { accountId, campaignId } of readers) {
      if (campaignId === null) whole.add(accountId);
      else single.add(campaignId);
    }
    const sinceMs = startedAt - progressAt;
    const progresses = await liveProgress(db, [...whole], [...single], sinceMs);
    const states = new Map<string, string>();
    const news: CampaignProgress[] = [];
    for (const progress of progresses) {
      const state = JSON.stringify(progress.progress);
      states.set(progress.campaignId, state);
      if (told.get(progress.campaignId) !== state) news.push(progress);
    }
    if (news.length > 0) await endRevoked();
    // Kept only now, so that what could not be told because the keys could not be asked for is told in the next round.
    progressAt = startedAt;
    told = states;
    for (const progress of news) tell(progress);
  };

  const tell = (progress: CampaignProgress): void => {
    const frame = progressFrame(progress);
    for (const reader of listeners(progress.accountId, progress.campaignId)) reader.onProgress(frame);
  };

  /** One round after the other, as long as somebody listens. */
  const keepRunning = (): void => {
    if (round !== null || timer !== null || isClosed) return;
    if (readers.size === 0) {
      position = null;
      told = new Map();
      progressAt = performance.now() - PROGRESS_MS;
      return;
    }
    const startedAt = performance.now();
    round = runRound().finally(() => {
      round = null;
      const isWanted = waiting.length > 0 && !hasFailed;
      const restMs = isWanted ? 0 : POLL_MS - (performance.now() - startedAt);
      timer = setTimeout(
        () => {
          timer = null;
          keepRunning();
        },
        Math.max(0, restMs),
      );
    });
  };

  const remove = (reader: LiveReader): void => {
    readers.delete(reader);
    const audience = audiences.get(keyOf(reader));
    audience?.delete(reader);
    if (audience?.size === 0) audiences.delete(keyOf(reader));
  };

  /** Asked after what is to be told was read, so whatever came after a key was revoked is not told to its readers. */
  const endRevoked = async (): Promise<void> => {
    // Whoever is added meanwhile was not asked for, so nothing is known of his key.
    const asked = [...readers];
    const inForce = await readersInForce(db, asked);
    for (const reader of asked) {
      if (inForce.has(reader)) continue;
      remove(reader);
      reader.end();
    }
  };

  const beat = async (): Promise<void> => {
    if (readers.size === 0) return;
    const before = [...readers];
    await endRevoked();
    for (const reader of before) if (readers.has(reader)) reader.onBeat(BEAT);
  };
  const beats = setInterval(() => {
    beat().catch(onError);
  }, beatMs);
  beats.unref();

  return {
    add: (reader) => {
      if (isClosed) {
        reader.end();
        return Promise.resolve();
      }
      readers.add(reader);
      audiences.set(keyOf(reader), (audiences.get(keyOf(reader)) ?? new Set()).add(reader));
      return new Promise((resolve) => {
        waiting.push(resolve);
        if (round === null && timer !== null) {
          clearTimeout(timer);
          timer = null;
        }
        keepRunning();
      });
    },
    remove,
    isInForce: async (reader) => (await readersInForce(db, [reader])).has(reader),
    readersOf: (accountId) => [...readers].filter((reader) => reader.accountId === accountId).length,
    size: () => readers.size,
    close: async () => {
      isClosed = true;
      clearInterval(beats);
      if (timer !== null) clearTimeout(timer);
      for (const reader of readers) reader.end();
      await round;
      for (const resolve of waiting) resolve();
    },
  };
}

function keyOf(reader: LiveReader): string {
  return reader.campaignId ?? reader.accountId;
}
