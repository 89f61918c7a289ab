import { type IncomingMessage, request as httpRequest } from 'node:http';

/** One event as it came over the wire. */
export interface SseEvent {
  /** Null when the event has none. */
  readonly id: number | null;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A reader of a stream of server-sent events. */
export interface EventClient {
  /** Everything that has come, in its order. */
  readonly events: readonly SseEvent[];
  /** Those with an id that were not the opening. */
  readonly numbered: () => SseEvent[];
  readonly beats: () => number;
  /** Resolves with the first event, come or to come, that is what is waited for. */
  readonly awaits: (isIt: (event: SseEvent) => boolean) => Promise<SseEvent>;
  /** The newest id, to come back with. */
  readonly lastId: () => number | null;
  /** Resolves when the connection has ended, by whomever. */
  readonly ended: Promise<void>;
  /** Takes nothing off the wire any more, as somebody who has stopped reading. */
  readonly stall: () => void;
  readonly resume: () => void;
  readonly close: () => void;
  readonly status: number;
}

/** Opens a stream and resolves once it is answered. */
export async function followEvents(
  url: string,
  key: string,
  path: string,
  lastEventId: number | null = null,
): Promise<EventClient> {
  const events: SseEvent[] = [];
  const waiting = new Set<() => void>();
  let beats = 0;
  let rest = '';
  const headers = {
    authorization: `Bearer ${key}`,
    ...(lastEventId === null ? {} : { 'last-event-id': String(lastEventId) }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(`${url}${path}`, { headers, agent: false }, resolve).once('error', reject).end();
  });
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block.startsWith(':')) beats += 1;
      else events.push(parse(block));
    }
    for (const look of waiting) look();
  });
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.once('error', () => undefined);
  });
  return {
    events,
    numbered: () => events.filter((event) => event.id !== null && !isOpening(event)),
    beats: () => beats,
    lastId: () => events.findLast((event) => event.id !== null)?.id ?? null,
    awaits: (isIt) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(isIt);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        ended.then(
          () => reject(new Error(`The stream ended before it came; it told ${events.length} events.`)),
          reject,
        );
      }),
    ended,
    stall: () => {
      response.pause();
    },
    resume: () => {
      response.resume();
    },
    close: () => {
      response.destroy();
    },
    status: response.statusCode ?? 0,
  };
}

function isOpening(event: SseEvent): boolean {
  return event.kind === 'ready' || event.kind === 'reset';
}

function parse(block: string): SseEvent {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const id = fields.get('id');
  return {
    id: id === undefined ? null : Number(id),
    kind: fields.get('event') ?? '',
    data: JSON.parse(fields.get('data') ?? 'null') as Record<string, unknown>,
  };
}
