import type { ListedText, ListRequest, ListResult } from '../carrier.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HttpReport } from './http-report.ts';

/** The most records of one page of Plivo's list. */
export const LIST_PAGE_SIZE = 20;

const UUID = /^[A-Za-z0-9-]{8,64}$/;

/** The filters of one page. Without one of time the list reaches back 24 hours only. */
export function listFilters(request: ListRequest): Record<string, unknown> {
  return {
    from_number: plain(request.from),
    to_number: plain(request.to),
    message_direction: 'outbound',
    // Whole seconds are all that the filter promises to read, so the time asked for is rounded outwards.
    message_time__gte: utc(Math.floor(request.since / 1_000)),
    message_time__lte: utc(Math.ceil(request.until / 1_000)),
    limit: LIST_PAGE_SIZE,
    offset: request.offset,
  };
}

/** Reads a page. Records that are not of what was asked for make it unreadable: the carrier has understood something else. */
export function readListReport(report: HttpReport, request: ListRequest): ListResult {
  const { status } = report;
  if (report.errorCode !== null || status === null) return failed('unavailable');
  if (status === 429) return { kind: 'failed', cause: 'rate_limited', retryAfterMs: retryAfterMs(report) };
  if (status === 401 || status === 403) return failed('credentials');
  if (status !== 200) return failed(status >= 500 ? 'unavailable' : 'malformed_answer');
  const objects = objectsIn(report.body);
  if (objects === null) return failed('malformed_answer');
  const texts: ListedText[] = [];
  for (const object of objects) {
    const text = readRecord(object, request);
    if (text === null) return failed('malformed_answer');
    texts.push(text);
  }
  return { kind: 'listed', texts, isLast: objects.length < LIST_PAGE_SIZE };
}

function failed(cause: 'credentials' | 'unavailable' | 'malformed_answer'): ListResult {
  return { kind: 'failed', cause, retryAfterMs: null };
}

function objectsIn(body: string): readonly unknown[] | null {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || !('objects' in answer)) return null;
    return Array.isArray(answer.objects) ? (answer.objects as unknown[]) : null;
  } catch {
    return null;
  }
}

function readRecord(record: unknown, request: ListRequest): ListedText | null {
  if (typeof record !== 'object' || record === null) return null;
  const field = (name: string): string => {
    const value: unknown = Object.entries(record).find(([key]) => key === name)?.[1];
    return typeof value === 'string' ? value : '';
  };
  const uuid = field('message_uuid');
  const at = instantOf(field('message_time'));
  const isAskedFor =
    plain(field('to_number')) === plain(request.to) && plain(field('from_number')) === plain(request.from);
  return UUID.test(uuid) && at !== null && isAskedFor ? { uuid, at } : null;
}

/** `YYYY-MM-DD HH:MM:ss`, with or without a fraction and an offset; without one it is UTC. */
function instantOf(text: string): number | null {
  const [, day, clock, offset = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)(Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? [];
  const at = Date.parse(`${day}T${clock}${offset}`);
  return Number.isNaN(at) ? null : at;
}

function utc(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ');
}

/** Plivo leaves the plus out. */
function plain(number: string): string {
  return number.replace('+', '');
}
