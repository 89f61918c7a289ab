import { SENDER_TYPES } from './sender.ts';
import type { SenderType } from './sender.ts';

/** What a keyword does: `stop` opts out, `start` opts in again, `help` asks for help. */
export type KeywordKind = 'stop' | 'start' | 'help';

/** Who acts on a keyword that arrives at a sender of one type. We suppress in any case; this is about the rest. */
export interface KeywordRule {
  readonly senderType: SenderType;
  /** Letters and digits only, in capitals: 'STOPALL' stands for 'Stop all' too. */
  readonly keyword: string;
  readonly kind: KeywordKind;
  /** Who blocks the pair (stop), unblocks it (start), or has nothing to block (help: the same as `answeredBy`). */
  readonly blockedBy: 'carrier' | 'us';
  /** Who sends the confirmation or the help text. Nobody is answered twice. */
  readonly answeredBy: 'carrier' | 'us';
  /** The word counts only from somebody who is opted out; from anybody else it is an ordinary reply. */
  readonly onlyWhenOptedOut: boolean;
  /** The day from which the rule holds, YYYY-MM-DD. */
  readonly effectiveFrom: string;
  readonly source: string;
}

/** How an inbound message is to be treated. `keyword` is the rule's, `handledByCarrier` forbids an answer of ours. */
export interface InboundClass {
  readonly kind: KeywordKind | 'reply';
  readonly keyword: string | null;
  readonly handledByCarrier: boolean;
}

/**
 * Classifies an inbound text by its keyword. Only a keyword on its own counts, whatever its case, punctuation and
 * surrounding space: 'stop by later' is a reply. Any other wording is for a person to judge.
 */
export function classifyInbound(
  text: string,
  senderType: SenderType,
  isOptedOut: boolean,
  rules: readonly KeywordRule[] = KEYWORD_RULES,
): InboundClass {
  const keyword = keywordOf(text);
  const rule = rules.find(
    (candidate) => candidate.senderType === senderType && candidate.keyword === keyword,
  );
  if (rule === undefined || (rule.onlyWhenOptedOut && !isOptedOut)) {
    return { kind: 'reply', keyword: null, handledByCarrier: false };
  }
  return { kind: rule.kind, keyword: rule.keyword, handledByCarrier: rule.answeredBy === 'carrier' };
}

/** The words as people know them and what they do (CTIA Messaging Principles; 47 CFR 64.1200(a)(10)). */
const WORDS: readonly { keyword: string; kind: KeywordKind; onlyWhenOptedOut?: true }[] = [
  { keyword: 'STOP', kind: 'stop' },
  { keyword: 'STOPALL', kind: 'stop' },
  { keyword: 'END', kind: 'stop' },
  { keyword: 'QUIT', kind: 'stop' },
  { keyword: 'CANCEL', kind: 'stop' },
  { keyword: 'UNSUBSCRIBE', kind: 'stop' },
  { keyword: 'UNSUB', kind: 'stop' },
  { keyword: 'REVOKE', kind: 'stop' },
  { keyword: 'OPTOUT', kind: 'stop' },
  { keyword: 'START', kind: 'start' },
  { keyword: 'UNSTOP', kind: 'start' },
  { keyword: 'YES', kind: 'start', onlyWhenOptedOut: true },
  { keyword: 'GO', kind: 'start', onlyWhenOptedOut: true },
  { keyword: 'RESUME', kind: 'start', onlyWhenOptedOut: true },
  { keyword: 'HELP', kind: 'help' },
  { keyword: 'INFO', kind: 'help' },
];

const LONG_CODE_WORDS: readonly string[] =
  'STOP STOPALL END QUIT CANCEL UNSUBSCRIBE UNSUB START UNSTOP YES GO RESUME HELP INFO'.split(' ');

/**
 * The words on which the carrier itself acts and answers, by sender type. Plivo's own lists disagree on
 * UNSUBSCRIBE; it counts as the carrier's, because a missing confirmation does less harm than a second one.
 * A number that sent STOP to a toll-free sender stays blocked by the carrier until it sends UNSTOP.
 */
const CARRIER_WORDS: Readonly<Record<SenderType, ReadonlySet<string>>> = {
  '10dlc': new Set(LONG_CODE_WORDS),
  long_code: new Set(LONG_CODE_WORDS),
  toll_free: new Set(['STOP', 'UNSTOP']),
  short_code: new Set(),
  alphanumeric: new Set(),
};

/** The table sender type x keyword, dated: what Plivo does by itself and what is left to us. */
export const KEYWORD_RULES: readonly KeywordRule[] = SENDER_TYPES.flatMap((senderType) =>
  WORDS.map(({ keyword, kind, onlyWhenOptedOut = false }) => {
    const actor = CARRIER_WORDS[senderType].has(keyword) ? 'carrier' : 'us';
    return {
      senderType,
      keyword,
      kind,
      blockedBy: actor,
      answeredBy: actor,
      onlyWhenOptedOut,
      effectiveFrom: '2025-01-01',
      source: 'Plivo, opt-out keywords by number type; CTIA Messaging Principles',
    };
  }),
);

const LENGTH_MAX = 64;

/** 'Stop!', ' "STOP" ', 'Opt-Out' and full-width letters come down to the same word; long texts are no keyword. */
function keywordOf(text: string): string | null {
  if (text.length > LENGTH_MAX) return null;
  const compact = text.normalize('NFKC').replaceAll(/[^\p{L}\p{N}]/gu, '');
  return compact === '' ? null : compact.toUpperCase();
}
