import { randomUUID } from 'node:crypto';
import { plain } from './number-book.ts';
import type { NumberType } from './settings.ts';

/** A text that somebody sends to one of the numbers. */
export interface InboundText {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly mediaUrls?: readonly string[];
}

const STOP_WORDS: ReadonlySet<string> = new Set('STOP STOPALL END QUIT CANCEL UNSUBSCRIBE UNSUB'.split(' '));
const START_WORDS: ReadonlySet<string> = new Set('START YES RESUME UNSTOP GO'.split(' '));

/**
 * What Plivo makes of a word on its own; null is a text like any other. Toll-free numbers know STOP and UNSTOP
 * only. Kept apart from what Carillon makes of it, so that tests of one are not passed by the other's mistake.
 */
export function keywordKind(text: string, type: NumberType): 'stop' | 'start' | null {
  const word = text.replaceAll(/[^\p{L}\p{N}]/gu, '').toUpperCase();
  if (type === 'toll_free') return word === 'STOP' ? 'stop' : word === 'UNSTOP' ? 'start' : null;
  if (STOP_WORDS.has(word)) return 'stop';
  return START_WORDS.has(word) ? 'start' : null;
}

/** The form in which Plivo hands a text on. */
export function inboundForm({ from, to, text, mediaUrls = [] }: InboundText): Record<string, string> {
  return {
    MessageUUID: randomUUID(),
    From: plain(from),
    To: plain(to),
    Text: text,
    Type: mediaUrls.length > 0 ? 'mms' : 'sms',
    ...Object.fromEntries(mediaUrls.map((url, index) => [`Media${index}`, url])),
  };
}
