import { hasOptOutInstruction, misusedKeywords } from './opt-out-instruction.ts';
import { gsmReplacement, measureText } from './segments.ts';

/** The code of what is kept back because its content is refused: of a hold, an alert, and of a part as its parent reads it. */
export const CONTENT_REFUSED = 'content_refused';

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
  readonly code:
    | 'opt_out_hint_missing'
    | 'prefix_switched_off'
    | 'suffix_switched_off'
    | 'field_rarely_present'
    | 'keyword_as_answer'
    | 'ucs2_avoidable';
  readonly message: string;
  /** The merge field or the keyword that the warning is about. */
  readonly subject: string | null;
}

/** What a campaign's texts are for; it decides which rules bind them. */
export type Purpose = 'marketing' | 'informational' | 'service';

/** The purpose of a campaign; what nobody has said yet is taken for marketing, which the strictest rules bind. */
export function purposeOf(purpose: string | null): Purpose {
  return purpose === 'informational' || purpose === 'service' ? purpose : 'marketing';
}

/** A message as its readers get it. */
export interface DraftMessage {
  /** With the account's prefix and suffix where they are added. */
  readonly text: string;
  readonly kind: 'sms' | 'mms';
  /** Whether it is the first of its campaign. */
  readonly isFirst: boolean;
  readonly purpose: Purpose;
  /** For each field that stands without a fallback, the share of contacts (0 to 1) that have it. */
  readonly fieldCoverage: Readonly<Record<string, number>>;
  /** Which of the account's affixes the message has switched off although its text lacks them. */
  readonly switchedOff?: { readonly prefix: boolean; readonly suffix: boolean };
}

/** A field that fewer contacts than this share have is warned of. */
export const FIELD_COVERAGE_MIN = 0.5;

/** Looks a message over: a missing opt-out hint, sparse fields, keywords asked for as answers, avoidable UCS-2. */
export function messageWarnings(draft: DraftMessage): MessageWarning[] {
  return [
    ...optOutHint(draft),
    ...senderName(draft),
    ...sparseFields(draft),
    ...keywordAnswers(draft),
    ...avoidableUcs2(draft),
  ];
}

/** Only what a message is warned of because it has switched one of the account's affixes off. */
export function affixWarnings(
  draft: Pick<DraftMessage, 'text' | 'isFirst' | 'purpose' | 'switchedOff'>,
): MessageWarning[] {
  return [...optOutHint(draft).filter((one) => one.code === 'suffix_switched_off'), ...senderName(draft)];
}

/** Marketing texts say in their first message how to opt out (CTIA Messaging Principles, 5.1). */
function optOutHint({
  text,
  isFirst,
  purpose,
  switchedOff,
}: Pick<DraftMessage, 'text' | 'isFirst' | 'purpose' | 'switchedOff'>): MessageWarning[] {
  if (!isFirst || purpose === 'service' || hasOptOutInstruction(text)) return [];
  if (switchedOff?.suffix === true) {
    return [
      warning(
        'suffix_switched_off',
        "The account's suffix is switched off, and the first message should say how to opt out. Switch it on, or say so in the text.",
      ),
    ];
  }
  return [
    warning(
      'opt_out_hint_missing',
      'The first message should say how to opt out, such as "Reply STOP to opt out".',
    ),
  ];
}

/** Who sends must be recognisable in each text (CTIA Messaging Principles, 5.1); a sender's name shows it by itself. */
function senderName({
  purpose,
  switchedOff,
}: Pick<DraftMessage, 'purpose' | 'switchedOff'>): MessageWarning[] {
  if (purpose === 'service' || switchedOff?.prefix !== true) return [];
  return [
    warning(
      'prefix_switched_off',
      "The account's prefix is switched off, and the text should say who sends it. Switch it on, or name the sender in the text.",
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
  return misusedKeywords(text).map((keyword) =>
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
