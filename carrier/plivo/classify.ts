import type { SendResult } from '../carrier.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HttpReport } from './http-report.ts';

/** Error code of an answer that was longer than is read. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE';

/** Says what is known after a request, and no more: see `SendResult`. */
export function classify(report: HttpReport): SendResult {
  const { status } = report;
  if (report.errorCode !== null || status === null) return classifyFailure(report);
  if (status >= 200 && status < 300) return classifyAnswer(report.body);
  if (status === 429)
    return { kind: 'not_accepted', cause: 'rate_limited', retryAfterMs: retryAfterMs(report) };
  if (status === 402) return { kind: 'not_accepted', cause: 'credit', retryAfterMs: null };
  if (status === 401 || status === 403)
    return { kind: 'not_accepted', cause: 'credentials', retryAfterMs: null };
  if (status >= 400 && status < 500) return { kind: 'rejected', httpStatus: status };
  return { kind: 'unknown', cause: 'server_error' };
}

function classifyFailure(report: HttpReport): SendResult {
  if (!report.wasWritten) return { kind: 'not_accepted', cause: 'not_written', retryAfterMs: null };
  if (report.errorCode === ANSWER_TOO_LARGE) return { kind: 'unknown', cause: 'malformed_answer' };
  const isTimeout = ['TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'].includes(
    report.errorCode ?? '',
  );
  return { kind: 'unknown', cause: isTimeout ? 'timeout' : 'reset' };
}

function classifyAnswer(body: string): SendResult {
  if (body.trim() === '') return { kind: 'unknown', cause: 'empty_answer' };
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return { kind: 'unknown', cause: 'malformed_answer' };
  }
  const uuids = textsIn(answer, 'message_uuid');
  const invalidNumbers = textsIn(answer, 'invalid_number').map((number) =>
    number.startsWith('+') ? number : `+${number}`,
  );
  if (uuids.length === 0 && invalidNumbers.length === 0) return { kind: 'unknown', cause: 'empty_answer' };
  return { kind: 'accepted', uuids, invalidNumbers };
}

function textsIn(answer: unknown, field: string): string[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const value: unknown = Object.entries(answer).find(([name]) => name === field)?.[1];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
