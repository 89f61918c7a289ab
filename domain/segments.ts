import { split } from 'split-sms';

/** How a text is carried: 7-bit GSM, or UCS-2 as soon as one character is outside the GSM alphabet. */
export type SmsEncoding = 'gsm7' | 'ucs2';

/** What a text costs in segments, and why. */
export interface TextMeasure {
  readonly encoding: SmsEncoding;
  /** 0 for an empty text. */
  readonly segments: number;
  /** Septets (extension characters count two) or UTF-16 code units. */
  readonly units: number;
  /** 160 or 70 in a single segment, 153 or 67 where there are several. */
  readonly unitsPerSegment: number;
  /** Units left in the last segment. */
  readonly remaining: number;
  /** The distinct characters, as a reader sees them, that force UCS-2; empty with GSM. */
  readonly forcing: readonly string[];
}

/** The most septets the carrier takes in one text (Plivo, message API). */
export const GSM_UNITS_MAX = 1_600;
/** The most UTF-16 code units the carrier takes in one text that needs UCS-2 (Plivo, message API). */
export const UCS2_UNITS_MAX = 737;

// At most 70 code units fit into one segment either way: as UCS-2, and as GSM even if each counts two.
const ALWAYS_SINGLE_MAX = 70;
// The ASCII characters that the GSM alphabet has at one septet each; with them alone length is all that counts.
const SEPTETS_PATTERN = /^[\n\r -Z_a-z]*$/;

/** The number of SMS segments of a text; 0 for an empty one. This is the hot path. */
export function countSegments(text: string): number {
  if (text.length <= ALWAYS_SINGLE_MAX) return text === '' ? 0 : 1;
  if (SEPTETS_PATTERN.test(text)) return text.length <= 160 ? 1 : Math.ceil(text.length / 153);
  return split(text, { summary: true }).parts.length;
}

/** Measures a text for a preview: encoding, segments, what is left, and which characters force UCS-2. */
export function measureText(text: string): TextMeasure {
  const result = split(text, { summary: true });
  const segments = text === '' ? 0 : result.parts.length;
  if (result.characterSet === 'GSM') {
    return {
      encoding: 'gsm7',
      segments,
      units: result.bytes,
      unitsPerSegment: segments > 1 ? 153 : 160,
      remaining: result.remainingInPart,
      forcing: [],
    };
  }
  return {
    encoding: 'ucs2',
    segments,
    units: result.bytes / 2,
    unitsPerSegment: segments > 1 ? 67 : 70,
    remaining: result.remainingInPart,
    forcing: forcingCharacters(text),
  };
}

/** Whether the carrier takes a text of this length: 1,600 GSM or 737 UCS-2 units (Plivo, message API). */
export function textFitsCarrier(text: string): boolean {
  if (text.length <= UCS2_UNITS_MAX) return true;
  if (text.length > GSM_UNITS_MAX) return false;
  const result = split(text, { summary: true });
  return result.characterSet === 'GSM' && result.bytes <= GSM_UNITS_MAX;
}

/** What can be written instead of a character that forces UCS-2, such as ' for a curly quote; null if nothing is common. */
export function gsmReplacement(character: string): string | null {
  const known = REPLACEMENTS.get(character);
  if (known !== undefined) return known;
  const composed = character.normalize('NFC');
  return composed !== character && isGsm(composed) ? composed : null;
}

function forcingCharacters(text: string): string[] {
  const found = new Set<string>();
  for (const { segment } of graphemes.segment(text)) {
    if (!found.has(segment) && !isGsm(segment)) found.add(segment);
  }
  return [...found];
}

function isGsm(text: string): boolean {
  return split(text, { summary: true }).characterSet === 'GSM';
}

// A person sees a family emoji or a letter with its accent as one character, so that is what is named.
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

const REPLACEMENTS = new Map<string, string>([
  ['\u2018', "'"],
  ['\u2019', "'"],
  ['\u201A', "'"],
  ['\u2032', "'"],
  ['\u00B4', "'"],
  ['`', "'"],
  ['\u201C', '"'],
  ['\u201D', '"'],
  ['\u201E', '"'],
  ['\u2033', '"'],
  ['\u00AB', '"'],
  ['\u00BB', '"'],
  ['\u2010', '-'],
  ['\u2011', '-'],
  ['\u2012', '-'],
  ['\u2013', '-'],
  ['\u2014', '-'],
  ['\u2212', '-'],
  ['\u2026', '...'],
  ['\u2022', '*'],
  ['\u00B7', '*'],
  ['\u00A0', ' '],
  ['\u2009', ' '],
  ['\u202F', ' '],
  ['\t', ' '],
  ['\u200B', ''],
  ['\u00AD', ''],
  ['\uFEFF', ''],
  ['\u00E7', '\u00C7'],
  ['\u2122', '(TM)'],
  ['\u00AE', '(R)'],
  ['\u00A9', '(C)'],
]);
