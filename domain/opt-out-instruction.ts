/**
 * Whether a text tells its reader how to opt out: it asks for the answer STOP (or END, QUIT, CANCEL for that
 * purpose), speaks of opting out or unsubscribing, or says the same in another language we know. 'Non-stop sale'
 * and 'stop by our shop' do not.
 */
export function hasOptOutInstruction(text: string): boolean {
  if (OTHER_WORDS_PATTERN.test(text) || SPANISH_KEYWORD_PATTERN.test(text)) return true;
  return sentencesOf(text).some(
    (sentence) =>
      STATED_PATTERN.test(sentence) ||
      FOREIGN_REQUEST_PATTERN.test(sentence) ||
      askedKeywords(sentence).some((asked) => asked.isForOptOut),
  );
}

/** The opt-out keywords that a text asks for as an answer to something else, each once. */
export function misusedKeywords(text: string): string[] {
  const asked = sentencesOf(text).flatMap((sentence) => askedKeywords(sentence));
  return [...new Set(asked.filter((one) => !one.isForOptOut).map((one) => one.keyword))];
}

const OTHER_WORDS_PATTERN =
  /\b(?:unsubscribe|opt(?:ing)?[ -]?out|abmelden|abbestellen|(?:de|dar|darse de) baja)\b|\bd[eé](?:sabonner|sinscrire)\b/i;
const SPANISH_KEYWORD_PATTERN = /\bBAJA\b/;
/** 'STOP to end', 'STOP=end', 'Stop 2 quit': without a word that asks for it. */
const STATED_PATTERN = /\bstop\s*(?:to|2|=|:)\s*(?:opt|end\b|stop\b|quit\b|cancel\b|unsub)/i;
const FOREIGN_REQUEST_PATTERN =
  /(?:\b(?:antworte\w*|sende\w*|respond[ae]\w*|rispondi|invia|envoyez)|r[ée]pondez|env[ií]e)\s+(?:mit\s+|con\s+|par\s+)?["'\u2018\u201C\u00AB]?\s?STOP\b|\bSTOP\s+(?:au|pour)\b/i;

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

function sentencesOf(text: string): string[] {
  return text.split(/[.!?\n]+/);
}

function askedKeywords(sentence: string): { readonly keyword: string; readonly isForOptOut: boolean }[] {
  const asked: { readonly keyword: string; readonly isForOptOut: boolean }[] = [];
  for (const match of sentence.matchAll(KEYWORD_PATTERN)) {
    const keyword = match[0].toUpperCase();
    const before = sentence.slice(0, match.index);
    if (!isAskedFor(before)) continue;
    const rest = sentence.slice(match.index + keyword.length).replace(/^["'\u2019\u201D]/, '');
    const own = (rest.split(CLAUSE_END_PATTERN)[0] ?? '').trim();
    const purpose = own === '' ? rest.trim() : own;
    const isBareStop = keyword === 'STOP' && (purpose === '' || BARE_PURPOSE_PATTERN.test(purpose));
    asked.push({ keyword, isForOptOut: isBareStop || OPT_OUT_PURPOSE_PATTERN.test(purpose) });
  }
  return asked;
}

function isAskedFor(before: string): boolean {
  return REQUEST_PATTERN.test(before) || (LIST_PATTERN.test(before) && ANY_REQUEST_PATTERN.test(before));
}
