import { type RenderedMessage, type Rendering, renderText } from './render-text.ts';
import { countSegments, textFitsCarrier } from './segments.ts';
import type { MergeFields } from './template.ts';

/** What a text on trial begins with, so that nobody takes it for a real one. */
export const TEST_MARK = '[Test] ';

/** The most test numbers of an account. */
export const TEST_NUMBERS_MAX = 5;

/** A test that could not be posted this long after it was ordered never is: nobody looks at his phone for it any more. */
export const TEST_AGE_MS_MAX = 10 * 60_000;

/**
 * Where a test stands. `refused`: a rule forbade it when it was to go out, or the carrier certainly did not take it;
 * `unknown`: nobody knows whether it went out, and it is never sent again by itself.
 */
export const TEST_STATES = [
  'requested',
  'posting',
  'refused',
  'rejected',
  'unknown',
  'accepted',
  'sent',
  'delivered',
  'undelivered',
  'failed',
] as const;
export type TestState = (typeof TEST_STATES)[number];

/** Renders a message as it would look for somebody, marked as a test; the mark counts. */
export function renderTest(message: RenderedMessage, fields: MergeFields): Rendering {
  const rendered = renderText(message, fields);
  if (rendered.kind === 'refused') return rendered;
  const text = `${TEST_MARK}${rendered.text}`;
  if (!textFitsCarrier(text)) return { kind: 'refused', reason: 'text_too_long' };
  return { kind: 'text', text, segments: message.kind === 'mms' ? 1 : countSegments(text) };
}
