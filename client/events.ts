import { setTimeout as delay } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { type CarillonOptions, headersOf } from './options.ts';
import { CarillonProblem } from './problem.ts';

/** Something that has happened; the API's documentation says what each kind tells. */
export interface CarillonEvent {
  /** To come back with; null for progress, which is a state. */
  readonly id: string | null;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What to follow and from where. */
export interface FollowOptions {
  /** One campaign; everything of the account unless given. */
  readonly campaignId?: string;
  /** The id that was seen last. */
  readonly lastEventId?: string;
  readonly signal?: AbortSignal;
}

const RECONNECT_MS = 1_000;

/**
 * Follows events as they happen. A connection that breaks is made again with the last id, so nothing is lost or told
 * twice. Throws a CarillonProblem when the API refuses, and ends when the signal is aborted.
 */
export async function* followEvents(
  carillon: CarillonOptions,
  options: FollowOptions = {},
): AsyncGenerator<CarillonEvent> {
  const { campaignId, signal } = options;
  const path = campaignId === undefined ? '/v1/events' : `/v1/campaigns/${campaignId}/events`;
  const isOver = (): boolean => signal?.aborted === true;
  let seen = options.lastEventId;
  while (!isOver()) {
    try {
      for await (const event of readOnce(carillon, path, seen, signal)) {
        seen = event.id ?? seen;
        yield event;
      }
    } catch (error) {
      if (error instanceof CarillonProblem) throw error;
      if (isOver()) return;
    }
    await delay(RECONNECT_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

async function* readOnce(
  carillon: CarillonOptions,
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<CarillonEvent> {
  const response = await fetch(carillon.url + path, {
    headers: {
      ...headersOf(carillon),
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await CarillonProblem.of(response);
  if (response.body === null) return;
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { id, event, data } of events) {
    yield { id: id ?? null, kind: event ?? 'message', data: JSON.parse(data) as Record<string, unknown> };
  }
}
