import { Readable } from 'node:stream';
import { type Db, withAccount } from '../../db/database.ts';
import { type LiveEvent, eventNumbers, eventsSince, progressSince } from '../../db/events.ts';
import type { EventHub, LiveReader } from './event-hub.ts';
import { eventFrame, type Frame, openingFrame, progressFrame } from './frames.ts';

/** What a stream is asked for. */
export interface StreamRequest {
  readonly accountId: string;
  readonly campaignId: string | null;
  readonly keyId: string;
  /** The id that the reader has seen last; null begins with what happens from now on. */
  readonly lastEventId: number | null;
  /** Otherwise the stream ends when it has told what has happened so far. */
  readonly follow: boolean;
}

/** What a stream reaches the world through. */
export interface StreamDeps {
  readonly db: Db;
  readonly hub: EventHub;
  /** Cuts the connection of a reader that takes nothing; it comes back and goes on where it was. */
  readonly cut: () => void;
  /** How long a reader may take nothing although there is something; 30 s unless given. */
  readonly stalledMs?: number;
}

const EVENTS_AT_ONCE = 200;
/** The most that waits in memory for a reader; beyond it he is told from the database, as fast as he takes it. */
const BUFFERED_BYTES_MAX = 262_144;
/** Beyond this a reader is not told of progress until it has caught up, and then how far things have come by then. */
const BUFFERED_BYTES_FULL = 32_768;
const STALLED_MS_MAX = 30_000;

/**
 * A stream of server-sent events: first what the reader has missed, in pages from the database, then what happens.
 * An id is told once and in order, whatever commits while it catches up. A reader that falls behind is told in pages
 * again, so it costs a bounded memory, and one that takes nothing at all is cut off.
 */
export function createEventStream(deps: StreamDeps, request: StreamRequest): Readable {
  /** Called when the reader has taken what there was. */
  let onDrained: (() => void) | null = null;
  const stream = new Readable({
    highWaterMark: BUFFERED_BYTES_FULL,
    read: () => {
      onDrained?.();
      if (owesState) settleState();
    },
  });
  /** The newest id that has been told. */
  let number = request.lastEventId ?? 0;
  let isLive = false;
  let hasMissed = false;
  /** Whether the reader has been told how far things have come, so that only what comes after it is progress. */
  let isStateTold = false;
  /** Progress was left out because the reader did not keep up. */
  let owesState = false;
  let isEnded = false;

  const push = (frame: Frame): void => {
    if (!isEnded && !stream.destroyed) stream.push(frame);
  };
  const end = (): void => {
    deps.hub.remove(reader);
    if (isEnded || stream.destroyed) return;
    isEnded = true;
    stream.push(null);
  };
  const reader: LiveReader = {
    accountId: request.accountId,
    campaignId: request.campaignId,
    keyId: request.keyId,
    onEvent: (event, frame) => {
      if (!isLive) {
        hasMissed = true;
      } else if (stream.readableLength > BUFFERED_BYTES_MAX) {
        isLive = false;
        catchUp().catch(deps.cut);
      } else if (event.number > number) {
        number = event.number;
        push(frame);
      }
    },
    onProgress: (frame) => {
      if (!isStateTold) hasMissed = true;
      else if (stream.readableLength < BUFFERED_BYTES_FULL) push(frame);
      else owesState = true;
    },
    onBeat: push,
    end,
  };

  const page = (): Promise<LiveEvent[]> =>
    withAccount(deps.db, request.accountId, (trx) =>
      eventsSince(trx, request.accountId, request.campaignId, number, EVENTS_AT_ONCE),
    );

  /** Resolves when the reader has room again; cuts one that takes nothing for too long. */
  const drained = async (): Promise<void> => {
    while (stream.readableLength >= BUFFERED_BYTES_FULL && !stream.destroyed) {
      const before = stream.readableLength;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deps.stalledMs ?? STALLED_MS_MAX);
        onDrained = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      onDrained = null;
      if (stream.readableLength < before) continue;
      deps.cut();
      stream.destroy();
    }
  };

  /** Reads pages until nothing is left and nothing has come meanwhile; from then on the hub tells. */
  const catchUp = async (): Promise<void> => {
    for (;;) {
      await drained();
      if (stream.destroyed || isEnded) return;
      hasMissed = false;
      const events = await page();
      if (events.length > 0 && !(await deps.hub.isInForce(request))) {
        end();
        return;
      }
      for (const event of events) {
        number = event.number;
        push(eventFrame(event));
      }
      if (events.length < EVENTS_AT_ONCE && !hasMissed) {
        isLive = true;
        return;
      }
    }
  };

  /** Read again when progress came meanwhile, since it may be newer than what was read. */
  const tellState = async (seen: number): Promise<void> => {
    while (!stream.destroyed && !isStateTold) {
      hasMissed = false;
      const states = await withAccount(deps.db, request.accountId, (trx) =>
        progressSince(trx, request.accountId, request.campaignId, seen),
      );
      if (hasMissed) continue;
      if (states.length > 0 && !(await deps.hub.isInForce(request))) {
        end();
        return;
      }
      isStateTold = true;
      for (const state of states) push(progressFrame(state));
    }
  };

  const settleState = (): void => {
    owesState = false;
    isStateTold = false;
    tellState(number).catch(deps.cut);
  };

  const run = async (): Promise<void> => {
    await deps.hub.add(reader);
    const { accountId, campaignId, lastEventId } = request;
    const { last, forgotten } = await withAccount(deps.db, accountId, (trx) => eventNumbers(trx, accountId));
    const isKnown = lastEventId === null || (lastEventId >= forgotten && lastEventId <= last);
    if (lastEventId === null || !isKnown) number = last;
    push(
      isKnown
        ? openingFrame('ready', { accountId, campaignId }, number)
        : openingFrame('reset', { accountId, campaignId, reason: RESET_REASON }, number),
    );
    const seen = number;
    await catchUp();
    await tellState(seen);
    if (!request.follow) end();
  };

  stream.once('close', () => {
    deps.hub.remove(reader);
    onDrained?.();
  });
  run().catch(() => {
    // The reader comes back with the id that it has seen last.
    deps.cut();
  });
  return stream;
}

const RESET_REASON =
  'Events after this id are not kept any more, or never were. Read the state again and go on from here.';
