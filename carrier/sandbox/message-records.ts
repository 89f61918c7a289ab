import { errorCodeText, type Ledger } from './ledger.ts';
import type { StoredMessage } from './message-columns.ts';
import { plain } from './number-book.ts';
import type { SandboxSettings } from './settings.ts';

type Query = Readonly<Record<string, string>>;

/** What records are read from. */
interface RecordDeps {
  readonly authId: string;
  readonly ledger: Ledger;
  readonly settings: SandboxSettings;
}

/** A page of records, newest first. */
interface RecordPage {
  readonly meta: Readonly<Record<string, number | string | null>>;
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

const LIMIT_MAX = 20;
const DAY_MS = 24 * 60 * 60_000;
/** `YYYY-MM-DD`, with `HH:MM` or `HH:MM:ss` and a fraction, in UTC. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?$/;

/** A text as the API shows it. The text itself is not kept. */
export function recordOf(authId: string, message: StoredMessage): Record<string, unknown> {
  const { fate, state } = message;
  const isFree = state === 'final' && fate.final === 'failed';
  const amount = isFree ? 0 : message.costMicroUsd / 1_000_000;
  return {
    error_code: state === 'final' ? errorCodeText(fate) : null,
    from_number: plain(message.src),
    message_direction: 'outbound',
    message_state: stateOf(message),
    message_time: timeText(message.time),
    message_type: message.kind,
    message_uuid: message.uuid,
    resource_uri: `/v1/Account/${authId}/Message/${message.uuid}/`,
    to_number: plain(message.dst),
    total_amount: amount.toFixed(5),
    total_rate: (amount / message.units).toFixed(5),
    units: message.units,
  };
}

/** Whether get and list show the text yet. */
export function isVisible({ ledger, settings }: RecordDeps, row: number): boolean {
  return ledger.time(row) + settings.recordDelayMs <= Date.now();
}

/** Lists by Plivo's filters; without one of time only the last 24 hours. */
export function listRecords(deps: RecordDeps, query: Query): RecordPage | { readonly error: string } {
  const limit = count(query['limit'], LIMIT_MAX);
  const offset = count(query['offset'], 0);
  if (limit === null || limit === 0) return { error: 'limit has to be 1 to 20' };
  if (offset === null) return { error: 'offset has to be 0 or more' };
  const times = timeFilters(query);
  if (times === null) return { error: "message_time has to be 'YYYY-MM-DD HH:MM[:ss]'" };
  const wanted = textFilters(query);
  // Who looks for one recipient among a million must not wait for a million records to be made.
  const to = query['to_number'] === undefined ? null : `+${plain(query['to_number'].trim())}`;
  const pageSize = Math.min(limit, LIMIT_MAX);
  const objects: Record<string, unknown>[] = [];
  let total = 0;
  for (let row = deps.ledger.size() - 1; row >= 0; row -= 1) {
    const time = deps.ledger.time(row);
    if (!times.every((isIn) => isIn(time)) || !isVisible(deps, row)) continue;
    if (to !== null && deps.ledger.dst(row) !== to) continue;
    const message = deps.ledger.read(row);
    if (!wanted.every((isIt) => isIt(message))) continue;
    if (total >= offset && objects.length < pageSize) objects.push(recordOf(deps.authId, message));
    total += 1;
  }
  const page = (at: number): string =>
    `/v1/Account/${deps.authId}/Message/?${new URLSearchParams({ ...query, limit: String(pageSize), offset: String(at) }).toString()}`;
  const meta = {
    limit: pageSize,
    offset,
    total_count: total,
    next: offset + pageSize < total ? page(offset + pageSize) : null,
    previous: offset === 0 ? null : page(Math.max(0, offset - pageSize)),
  };
  return { meta, objects };
}

function stateOf({ state, fate }: StoredMessage): string {
  return state === 'final' ? fate.final : state;
}

/** Null where a filter is no time. */
function timeFilters(query: Query): ((time: number) => boolean)[] | null {
  const filters: ((time: number) => boolean)[] = [];
  for (const [name, text] of Object.entries(query)) {
    const comparison = /^message_time(?:__(gt|gte|lt|lte))?$/.exec(name);
    if (comparison === null) continue;
    const [, day, clock = '00:00'] = TIME.exec(text) ?? [];
    const wanted = day === undefined ? Number.NaN : Date.parse(`${day}T${clock}Z`);
    if (Number.isNaN(wanted)) return null;
    filters.push(timeFilter(comparison[1] ?? '', wanted));
  }
  const dayAgo = Date.now() - DAY_MS;
  return filters.length > 0 ? filters : [(time) => time >= dayAgo];
}

function timeFilter(comparison: string, wanted: number): (time: number) => boolean {
  const filters: Readonly<Record<string, (time: number) => boolean>> = {
    gt: (time) => time > wanted,
    gte: (time) => time >= wanted,
    lt: (time) => time < wanted,
    lte: (time) => time <= wanted,
  };
  return filters[comparison] ?? ((time) => Math.floor(time / 1_000) === Math.floor(wanted / 1_000));
}

function textFilters(query: Query): ((message: StoredMessage) => boolean)[] {
  const reads: Readonly<Record<string, (message: StoredMessage) => string | null>> = {
    from_number: ({ src }) => plain(src),
    message_state: stateOf,
    message_direction: () => 'outbound',
    error_code: ({ state, fate }) => (state === 'final' ? errorCodeText(fate) : null),
    powerpack_id: () => null,
  };
  return Object.entries(query).flatMap(([name, wanted]) => {
    const read = Object.hasOwn(reads, name) ? reads[name] : undefined;
    return read === undefined ? [] : [(message: StoredMessage) => read(message) === plain(wanted)];
  });
}

function count(text: string | undefined, otherwise: number): number | null {
  if (text === undefined || text === '') return otherwise;
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function timeText(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').replace('Z', '+00:00');
}
