import { gsmReplacement, measureText } from './segments.ts';

/** A phrase for which a campaign is rejected, as an operator keeps it; days in UTC, YYYY-MM-DD, the last exclusive. */
export interface RefusedPhrase {
  readonly phrase: string;
  /** Said to the campaign's owner. */
  readonly reason: string;
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
}

/** A refused phrase that a text contains. */
export interface Refusal {
  readonly phrase: string;
  readonly reason: string;
}

/**
 * The refused phrases that a text contains and that are in force at `at` (epoch milliseconds). Whole words in
 * their order count; case, spacing, accents, punctuation and its look-alikes do not.
 */
export function checkContent(text: string, phrases: readonly RefusedPhrase[], at: number): Refusal[] {
  const day = new Date(at).toISOString().slice(0, 10);
  const words = wordsOf(text);
  return phrases
    .filter(
      ({ effectiveFrom, effectiveTo }) => effectiveFrom <= day && (effectiveTo === null || day < effectiveTo),
    )
    .filter(({ phrase }) => hasWords(phrase) && words.includes(wordsOf(phrase)))
    .map(({ phrase, reason }) => ({ phrase, reason }));
}

/** Whether a phrase has anything that is compared; punctuation alone has not. */
export function hasWords(phrase: string): boolean {
  return wordsOf(phrase).trim() !== '';
}

/** What a message's author should look at. None of it prevents a launch. */
export interface MessageWarning {
  readonly code: 'opt_out_hint_missing' | 'field_rarely_present' | 'keyword_as_answer' | 'ucs2_avoidable';
  readonly message: string;
  /** The merge field or the keyword that the warning is about. */
  readonly subject: string | null;
}

/** A message as its author has written it. */
export interface DraftMessage {
  readonly text: string;
  readonly kind: 'sms' | 'mms';
  /** Whether it is the first of its campaign. */
  readonly isFirst: boolean;
  readonly purpose: 'marketing' | 'informational' | 'service';
  /** For each field that stands without a fallback, the share of contacts (0 to 1) that have it. */
  readonly fieldCoverage: Readonly<Record<string, number>>;
}

/** A field that fewer contacts than this share have is warned of. */
export const FIELD_COVERAGE_MIN = 0.5;

/** Looks a message over: a missing opt-out hint, sparse fields, keywords asked for as answers, avoidable UCS-2. */
export function messageWarnings(draft: DraftMessage): MessageWarning[] {
  return [...optOutHint(draft), ...sparseFields(draft), ...keywordAnswers(draft), ...avoidableUcs2(draft)];
}

/** Marketing texts say in their first message how to opt out (CTIA Messaging Principles, 5.1). */
function optOutHint({ text, isFirst, purpose }: DraftMessage): MessageWarning[] {
  if (!isFirst || purpose === 'service' || OPT_OUT_HINT_PATTERN.test(text)) return [];
  return [
    warning(
      'opt_out_hint_missing',
      'The first message should say how to opt out, such as "Reply STOP to opt out".',
    ),
  ];
}

function sparseFields({ fieldCoverage }: DraftMessage): MessageWarning[] {
  return Object.entries(fieldCoverage)
    .filter(([, share]) => share < FIELD_COVERAGE_MIN)
    .map(([field, share]) =>
      warning(
        'field_rarely_present',
        `Only ${Math.floor(share * 100)} % of the contacts have this field; give it a fallback.`,
        field,
      ),
    );
}

/** Whoever answers with such a word opts out, whatever the text meant by it. */
function keywordAnswers({ text }: DraftMessage): MessageWarning[] {
  const asked = new Set<string>();
  for (const sentence of text.split(/[.!?\n]+/)) {
    for (const keyword of misusedKeywords(sentence)) asked.add(keyword);
  }
  return [...asked].map((keyword) =>
    warning('keyword_as_answer', `Whoever answers ${keyword} opts out; ask for another word.`, keyword),
  );
}

/** One curly quote can more than double the price of a text that the GSM alphabet could carry. */
function avoidableUcs2({ text, kind }: DraftMessage): MessageWarning[] {
  const before = measureText(text);
  if (kind === 'mms' || before.encoding === 'gsm7') return [];
  let replaced = text;
  for (const character of before.forcing) {
    const replacement = gsmReplacement(character);
    if (replacement === null) return [];
    replaced = replaced.replaceAll(character, replacement);
  }
  const after = measureText(replaced);
  if (after.segments >= before.segments) return [];
  return [
    warning(
      'ucs2_avoidable',
      `Replacing ${before.forcing.join(' ')} would need ${after.segments} instead of ${before.segments} segments.`,
      before.forcing.join(''),
    ),
  ];
}

const OPT_OUT_HINT_PATTERN =
  /\b(?:stop|unsubscribe|opt[ -]?out|abmelden|abbestellen|d[eé]sabonner|d[eé]sinscrire|baja|cancelar)\b/i;

const KEYWORD_PATTERN = /\b(stop|end|quit|cancel)\b/gi;
/** What may stand between the request and its keyword, or between two keywords of one list. */
const REQUEST_PATTERN =
  /\b(?:reply|respond|answer|text|txt|send|type|say)(?:\s+(?:back|us|me|with|the|word|by|texting|yes|no|y|n|c))*[\s:"'\u2018\u2019\u201C\u201D]*$/i;
const LIST_PATTERN = /(?:[,/]|\b(?:or|and))[\s:"'\u2018\u2019\u201C\u201D]*$/i;
const ANY_REQUEST_PATTERN = /\b(?:reply|respond|answer|text|txt|send|type)\b/i;
const CLAUSE_END_PATTERN = /[,;/]|\b(?:or|and)\b/i;
const OPT_OUT_PURPOSE_PATTERN =
  /\b(?:opt(?:ing)?[ -]?out|unsub\w*|remov\w*|(?:no (?:more|longer)|not|(?:stop|end|quit|cancel)\w*)\s+(?:\w+\s+){0,3}?(?:texts?|messages?|msgs?|sms|alerts?|receiv\w+|get|getting|subscription))/i;
/** 'STOP to end' is how opt-out hints are put; 'CANCEL to cancel' speaks of something else. */
const BARE_PURPOSE_PATTERN = /^(?:to|2) (?:stop|end|quit|cancel)$/i;

function misusedKeywords(sentence: string): string[] {
  const misused: string[] = [];
  for (const match of sentence.matchAll(KEYWORD_PATTERN)) {
    const keyword = match[0].toUpperCase();
    const before = sentence.slice(0, match.index);
    if (!isAskedFor(before)) continue;
    const rest = sentence.slice(match.index + keyword.length).replace(/^["'\u2019\u201D]/, '');
    const own = (rest.split(CLAUSE_END_PATTERN)[0] ?? '').trim();
    const purpose = own === '' ? rest.trim() : own;
    if (keyword === 'STOP' && (purpose === '' || BARE_PURPOSE_PATTERN.test(purpose))) continue;
    if (!OPT_OUT_PURPOSE_PATTERN.test(purpose)) misused.push(keyword);
  }
  return misused;
}

function isAskedFor(before: string): boolean {
  return REQUEST_PATTERN.test(before) || (LIST_PATTERN.test(before) && ANY_REQUEST_PATTERN.test(before));
}

/** The words of a text between single spaces, for a look-up of whole words: ' your account is locked '. */
function wordsOf(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Cf}'\u2018\u2019\u201B\u02BC\u2032`]/gu, '')
    .toLowerCase();
  return ` ${plain.replaceAll(/[^\p{L}\p{N}$%]+/gu, ' ').trim()} `;
}

function warning(
  code: MessageWarning['code'],
  message: string,
  subject: string | null = null,
): MessageWarning {
  return { code, message, subject };
}

const PHISHING = 'Texts that ask for credentials or threaten with a locked account are taken for phishing.';
const SHAFT = 'Networks refuse sex, hate, alcohol, firearms and tobacco without age gating (CTIA, SHAFT).';
const FINANCE = 'Networks refuse high-risk loans, debt relief and get-rich-quick offers (CTIA).';
const DRUGS = 'Networks refuse cannabis and prescription drugs, also where they are legal (CTIA).';

/** The list with which an installation starts; an operator edits his copy. */
export const DEFAULT_REFUSED_PHRASES: readonly RefusedPhrase[] = [
  ...refused(PHISHING, 'verify your password', 'confirm your password', 'your account has been suspended'),
  ...refused(
    PHISHING,
    'your account has been locked',
    'verify your social security number',
    'confirm your card number',
  ),
  ...refused(
    PHISHING,
    'send us your pin',
    'wire transfer fee',
    'claim your inheritance',
    'you have won the lottery',
  ),
  ...refused(
    SHAFT,
    'escort service',
    'adult dating',
    'buy guns',
    'ammo sale',
    'vape juice',
    'buy cigarettes',
  ),
  ...refused(
    FINANCE,
    'payday loan',
    'debt forgiveness',
    'get rich quick',
    'guaranteed returns',
    'double your money',
  ),
  ...refused(
    DRUGS,
    'buy weed',
    'cannabis delivery',
    'cbd gummies',
    'buy xanax',
    'viagra without prescription',
  ),
];

function refused(reason: string, ...texts: string[]): RefusedPhrase[] {
  return texts.map((phrase) => ({ phrase, reason, effectiveFrom: '2025-01-01', effectiveTo: null }));
}
