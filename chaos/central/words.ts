import { textHash } from '../../carrier/sandbox/ledger.ts';
import type { PlannedContact } from './plan-contacts.ts';

/** What a sub-account calls itself, each of it unlike any other's. */
export interface Words {
  readonly name: string;
  readonly senderName: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** What a parent writes; the account's prefix and suffix come around it. */
export const CENTRAL_TEXT = '{{account.senderName}} of {{account.name}} for {{firstName}} at {{number}}.';

const SEGMENT_UNITS = 153;
/** Beyond what is written above. */
const PAD_MAX = 1_300;

/** What stands for the text in the ledger that somebody has to get from the account; made without Carillon's own renderer. */
export function hashOfOwnText(words: Words, { number, firstName }: PlannedContact, padding: string): string {
  const { prefix, senderName, name, suffix } = words;
  return textHash(`${prefix}${senderName} of ${name} for ${firstName} at ${number}.${padding}${suffix}`);
}

/** Padding with which a text has about so many segments, at most as many as a carrier takes. */
export function paddingFor(segments: number): string {
  return ' bread'.repeat(Math.floor(Math.min(PAD_MAX, (segments - 1) * SEGMENT_UNITS) / ' bread'.length));
}
