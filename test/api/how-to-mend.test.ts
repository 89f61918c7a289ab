import { expect, test } from 'vitest';
import { howToMend } from '../../api/how-to-mend.ts';

const issue = (keyword: string, params: Readonly<Record<string, unknown>>) => ({
  keyword,
  params,
  instancePath: '/field',
  message: 'must NOT have fewer than 1 items',
});

test.each([
  ['enum', { allowedValues: ['now', 'later'] }, 'Give one of now, later.'],
  ['const', { allowedValue: 'sms' }, 'Give exactly "sms".'],
  ['type', { type: 'string' }, 'Give a value of the type string.'],
  ['minItems', { limit: 1 }, 'Give at least 1 item.'],
  ['maxItems', { limit: 50 }, 'Give at most 50 items.'],
  ['maxLength', { limit: 100 }, 'Give at most 100 characters.'],
  ['minimum', { limit: 1 }, 'Give a number that is at least 1.'],
  ['format', { format: 'date-time' }, 'Give an instant with its offset, such as 2027-01-14T12:00:00Z.'],
  ['pattern', { pattern: '^rvw_[0-9a-z]{26}$' }, 'Give an id that begins with rvw_, as it was handed out.'],
  [
    'pattern',
    { pattern: '^(acc|snd)_[0-9a-z]{13,26}$' },
    'Give an id that begins with acc_ or snd_, as it was handed out.',
  ],
  ['pattern', { pattern: '^[A-Z]{2}$' }, 'Give a country by its two capital letters, such as US.'],
  ['minProperties', { limit: 1 }, 'Give at least 1 field.'],
  ['maxProperties', { limit: 256 }, 'Give at most 256 fields.'],
])('a field that breaks the rule %s %o is told how to mend it', (keyword, params, sentence) => {
  expect(howToMend(issue(keyword, params))).toBe(sentence);
});

test('a rule that nobody foresaw is told in the words of the validator', () => {
  expect(howToMend(issue('contains', {}))).toBe('It must NOT have fewer than 1 items.');
});
