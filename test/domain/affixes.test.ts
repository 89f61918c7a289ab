import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  affixesOf,
  affixFault,
  lackingAffixes,
  switchedOffAffixes,
  withAffixes,
} from '../../domain/affixes.ts';
import { renderText } from '../../domain/render-text.ts';
import { parseTemplate, type Template } from '../../domain/template.ts';

const account = {
  name: 'Harbour Bakery',
  senderName: 'Harbour',
  prefix: '{{account.senderName}}: ',
  suffix: ' Reply STOP to opt out',
};
const both = { usePrefix: true, useSuffix: true };
const affixes = affixesOf(account, both);

describe('the prefix and suffix of an account', () => {
  test('are rendered with what the account is called', () => {
    expect(affixes).toEqual({ prefix: 'Harbour: ', suffix: ' Reply STOP to opt out' });
  });

  test.each([
    ['Sale today.', 'Harbour: Sale today. Reply STOP to opt out'],
    ['HARBOUR: sale today.', 'HARBOUR: sale today. Reply STOP to opt out'],
    ['Sale today at harbour: now.', 'Sale today at harbour: now. Reply STOP to opt out'],
    ['Sale today. Text STOP to end', 'Harbour: Sale today. Text STOP to end'],
    ['Harbour: sale. reply stop to OPT OUT', 'Harbour: sale. reply stop to OPT OUT'],
    ['Stop by our shop.', 'Harbour: Stop by our shop. Reply STOP to opt out'],
    ['', 'Harbour:  Reply STOP to opt out'],
  ])('are added to %j where it lacks them', (text, expected) => {
    expect(withAffixes(text, affixes)).toBe(expected);
  });

  test('are left out where the message has them off, and where the account has none', () => {
    const off = affixesOf(account, { usePrefix: false, useSuffix: false });
    expect(withAffixes('Sale', off)).toBe('Sale');
    expect(withAffixes('Sale', affixesOf({ ...account, prefix: '', suffix: ' ' }, both))).toBe('Sale');
  });

  test('are never added twice', () => {
    assert(
      property(string(), string(), string(), (text, prefix, suffix) => {
        const once = withAffixes(text, { prefix, suffix });
        const lacking = lackingAffixes(once, { prefix, suffix });
        expect(lacking).toEqual({ prefix: '', suffix: '' });
        expect(withAffixes(once, { prefix, suffix })).toBe(once);
      }),
    );
  });

  test('that say something else than how to opt out are added beside an opt-out hint', () => {
    expect(withAffixes('Reply STOP to end.', { prefix: '', suffix: ' Terms: x.example' })).toBe(
      'Reply STOP to end. Terms: x.example',
    );
  });

  test('may use what is the same for everybody, and nothing else', () => {
    expect(affixFault(account.prefix)).toBeNull();
    expect(affixFault('')).toBeNull();
    expect(affixFault('{{firstName}}: ')).toContain('firstName');
    expect(affixFault('{{custom.x|y}}')).toContain('custom.x');
    expect(affixFault('{{account.sender')).toContain('not closed');
  });

  test.each([
    [{ usePrefix: false }, { prefix: true, suffix: false }],
    [{ useSuffix: false }, { prefix: false, suffix: true }],
    [
      { usePrefix: false, senderType: 'alphanumeric' },
      { prefix: false, suffix: false },
    ],
    [
      { usePrefix: false, text: '{{account.senderName}}: sale' },
      { prefix: false, suffix: false },
    ],
    [
      { useSuffix: false, text: 'Text STOP to end' },
      { prefix: false, suffix: false },
    ],
  ] as const)('count as switched off where the text lacks them: %j', (message, expected) => {
    const given = { text: 'Sale', senderType: 'short_code', ...both, account, ...message } as const;
    expect(switchedOffAffixes(given)).toEqual(expected);
  });
});

describe('a rendered text', () => {
  const fields = {
    firstName: null,
    lastName: null,
    number: '+12125550100',
    custom: {},
    account: { name: account.name, senderName: account.senderName },
  };
  const render = (text: string, kind: 'sms' | 'mms' = 'sms') =>
    renderText({ template: templateOf(text), affixes, kind }, fields);

  test('is judged empty by what the message says, not by what the account adds', () => {
    expect(render(' {{firstName}}')).toEqual({ kind: 'refused', reason: 'text_empty' });
    expect(render('', 'mms')).toMatchObject({ kind: 'text', segments: 1 });
  });

  test('counts what the account adds: segments, and the most that the carrier takes', () => {
    expect(render('a'.repeat(130))).toMatchObject({ kind: 'text', segments: 2 });
    expect(render('a'.repeat(1_590))).toEqual({ kind: 'refused', reason: 'text_too_long' });
  });
});

function templateOf(text: string): Template {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'malformed') throw new Error(parsed.message);
  return parsed.template;
}
