import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyInbound, KEYWORD_RULES } from '../../domain/opt-out.ts';
import { SENDER_TYPES } from '../../domain/sender.ts';

const stopWords = [
  'STOP',
  'STOP ALL',
  'STOPALL',
  'END',
  'QUIT',
  'CANCEL',
  'UNSUBSCRIBE',
  'UNSUB',
  'REVOKE',
  'OPT OUT',
];

describe('opting out', () => {
  test.each(SENDER_TYPES)(
    'every stop word opts out at a %s sender, opted out already or not',
    (senderType) => {
      for (const word of stopWords) {
        for (const isOptedOut of [true, false]) {
          expect(classifyInbound(word, senderType, isOptedOut).kind).toBe('stop');
        }
      }
    },
  );

  test.each([
    'stop',
    ' Stop. ',
    '"STOP"',
    '“Stop”!',
    'STOP\n',
    '...stop...',
    'Stop 🙏',
    'ＳＴＯＰ',
    'opt-out',
    'OptOut',
    'stop all!',
  ])('%j is a stop word on its own', (text) => {
    expect(classifyInbound(text, 'short_code', false).kind).toBe('stop');
  });

  test.each([
    'stop by later',
    'can you stop this bill',
    "don't stop",
    'the end',
    'cancel my appointment',
    'stopped',
    'no',
    '',
    '👍',
    `stop${'!'.repeat(100)}`,
  ])('%j is a reply', (text) => {
    expect(classifyInbound(text, '10dlc', true)).toEqual({
      kind: 'reply',
      keyword: null,
      handledByCarrier: false,
    });
  });

  test('case, punctuation and surrounding space never matter', () => {
    const edge = fc.stringMatching(/^[ \t\n.,!?"'()*_-]{0,8}$/);
    const rule = fc.constantFrom(...KEYWORD_RULES);
    fc.assert(
      fc.property(edge, rule, fc.boolean(), edge, ({ length }, { keyword, senderType }, lower, end) => {
        const text = `${' '.repeat(length)}${lower ? keyword.toLowerCase() : keyword}${end}`;
        expect(classifyInbound(text, senderType, true)).toEqual(classifyInbound(keyword, senderType, true));
      }),
    );
  });
});

describe('opting in again', () => {
  test.each(['START', 'UNSTOP', 'start!'])('%s opts in', (text) => {
    expect(classifyInbound(text, 'short_code', false).kind).toBe('start');
  });
  test.each(['YES', 'yes', 'Go', 'RESUME.'])('%s opts in only who is opted out', (text) => {
    expect(classifyInbound(text, 'short_code', true).kind).toBe('start');
    expect(classifyInbound(text, 'short_code', false).kind).toBe('reply');
  });
});

describe('who answers', () => {
  test.each([
    ['10dlc', 'STOP', true],
    ['long_code', 'Stop All', true],
    ['long_code', 'HELP', true],
    ['10dlc', 'REVOKE', false],
    ['10dlc', 'opt out', false],
    ['toll_free', 'STOP', true],
    ['toll_free', 'UNSTOP', true],
    ['toll_free', 'START', false],
    ['toll_free', 'QUIT', false],
    ['toll_free', 'HELP', false],
    ['short_code', 'STOP', false],
    ['short_code', 'INFO', false],
    ['alphanumeric', 'STOP', false],
  ] as const)('at a %s sender, %s is the carrier’s: %s', (senderType, text, expected) => {
    expect(classifyInbound(text, senderType, true).handledByCarrier).toBe(expected);
  });

  test('the table has one row per sender type and keyword, each dated and with its source', () => {
    const pairs = KEYWORD_RULES.map(({ senderType, keyword }) => `${senderType} ${keyword}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs.length % SENDER_TYPES.length).toBe(0);
    expect(
      KEYWORD_RULES.every((rule) => /^\d{4}-\d\d-\d\d$/.test(rule.effectiveFrom) && rule.source !== ''),
    ).toBe(true);
  });
});
