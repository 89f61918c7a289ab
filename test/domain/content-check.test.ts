import { describe, expect, test } from 'vitest';
import { checkContent, DEFAULT_REFUSED_PHRASES, messageWarnings } from '../../domain/content-check.ts';
import type { DraftMessage } from '../../domain/content-check.ts';

const at = Date.parse('2025-06-01T12:00:00Z');
const phrase = {
  phrase: "you've won a prize",
  reason: 'lottery',
  effectiveFrom: '2025-01-01',
  effectiveTo: null,
};

describe('refused phrases', () => {
  test.each([
    "You've won a prize!",
    'YOU’VE WON A PRIZE',
    'Hey,you‘ve  won\na – prize.',
    'Yóu’vé wön a prìze',
    'you\u200Bve won a pri\u00ADze',
    'ＹＯＵＶＥ ＷＯＮ Ａ ＰＲＩＺＥ',
  ])('%j is refused', (text) => {
    expect(checkContent(text, [phrase], at)).toEqual([{ phrase: phrase.phrase, reason: 'lottery' }]);
  });

  test.each(["you've won a prizefight", 'you’ve a prize won', "Sure you've won many a prize", ''])(
    '%j is not: whole words in their order count',
    (text) => expect(checkContent(text, [phrase], at)).toEqual([]),
  );

  test.each([
    ['2024-12-31T23:59:59Z', 0],
    ['2025-01-01T00:00:00Z', 1],
    ['2025-01-31T23:59:59Z', 1],
    ['2025-02-01T00:00:00Z', 0],
  ])('a phrase that holds during January 2025 refuses on %s: %i', (instant, count) => {
    const dated = { ...phrase, effectiveTo: '2025-02-01' };
    expect(checkContent(phrase.phrase, [dated], Date.parse(instant))).toHaveLength(count);
  });

  test('a phrase of punctuation refuses nothing', () => {
    expect(checkContent('Hi!', [{ ...phrase, phrase: ' !! ' }], at)).toEqual([]);
  });

  test('each phrase of the default list refuses itself, and none an ordinary text', () => {
    for (const entry of DEFAULT_REFUSED_PHRASES) {
      expect(checkContent(`Now: ${entry.phrase}.`, DEFAULT_REFUSED_PHRASES, at).length).toBeGreaterThan(0);
    }
    const ordinary =
      'Hi Ann, your order is ready. Reset your password at any time in our shop. Reply STOP to opt out.';
    expect(checkContent(ordinary, DEFAULT_REFUSED_PHRASES, at)).toEqual([]);
  });
});

const draft: DraftMessage = {
  text: 'Sale today. Reply STOP to opt out.',
  kind: 'sms',
  isFirst: true,
  purpose: 'marketing',
  fieldCoverage: {},
};
const codes = (fields: Partial<DraftMessage>): string[] =>
  messageWarnings({ ...draft, ...fields }).map(({ code, subject }) =>
    subject === null ? code : `${code} ${subject}`,
  );

describe('warnings', () => {
  test('a message without fault has none', () => expect(codes({})).toEqual([]));

  test.each([
    [{ text: 'Sale today' }, ['opt_out_hint_missing']],
    [{ text: 'Sale today', isFirst: false }, []],
    [{ text: 'Your code', purpose: 'service' }, []],
    [{ text: 'News', purpose: 'informational' }, ['opt_out_hint_missing']],
    [{ text: '', kind: 'mms' }, ['opt_out_hint_missing']],
    [{ text: 'Sale. Opt-out: shop.example/x' }, []],
    [{ text: 'Non-stop sale' }, ['opt_out_hint_missing']],
  ] as const)('an opt-out hint is missed in %j: %j', (fields, expected) => {
    expect(codes(fields)).toEqual(expected);
  });

  test('a field that most contacts lack is named', () => {
    expect(codes({ fieldCoverage: { firstName: 0.5, 'custom.city': 0.49, lastName: 0 } })).toEqual([
      'field_rarely_present custom.city',
      'field_rarely_present lastName',
    ]);
  });

  test.each([
    ['Reply CANCEL to cancel your appointment', ['CANCEL']],
    ['Reply YES to confirm or CANCEL to cancel', ['CANCEL']],
    ['Text END to end the game, QUIT to leave it', ['END', 'QUIT']],
    ['Please answer with "Stop" if the pain is gone', ['STOP']],
    ['Reply C or CANCEL', ['CANCEL']],
    ['reply quit if you no longer want the table', ['QUIT']],
    ['Reply STOP', []],
    ['Reply STOP to opt out', []],
    ['Reply STOP to unsubscribe, HELP for help', []],
    ['Text STOP, END or QUIT to opt out', []],
    ['Reply END to stop messages', []],
    ['Reply STOP if you want no more texts', []],
    ['Txt STOP to end', []],
    ['Txt STOP 2 end', []],
    ['Reply CANCEL to stop receiving texts', []],
    ['Reply YES to stop by our shop this weekend', []],
    ['We never stop. Text us any time until the end of May', []],
    ['Sale ends soon, cancel any time', []],
  ])('%j asks for %j as an answer to something else', (text, keywords) => {
    expect(codes({ text, isFirst: false })).toEqual(
      keywords.map((keyword) => `keyword_as_answer ${keyword}`),
    );
  });

  test('characters that cost a segment and have a GSM form are named', () => {
    const text = `It’s “on”… ${'a'.repeat(100)}`;
    expect(codes({ text, isFirst: false })).toEqual(['ucs2_avoidable ’“”…']);
    expect(codes({ text, isFirst: false, kind: 'mms' })).toEqual([]);
    expect(codes({ text: `${text}😀`, isFirst: false })).toEqual([]);
    expect(codes({ text: 'It’s on', isFirst: false })).toEqual([]);
  });
});
