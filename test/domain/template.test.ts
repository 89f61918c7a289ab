import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fieldsOf,
  fieldsWithoutFallback,
  isConstant,
  isCustomKey,
  parseTemplate,
  renderTemplate,
} from '../../domain/template.ts';
import type { MergeFields, Template } from '../../domain/template.ts';

const nobody: MergeFields = {
  firstName: null,
  lastName: null,
  number: null,
  custom: {},
  account: { name: null, senderName: null },
};
const ann: MergeFields = {
  firstName: 'Ann',
  lastName: 'Lee',
  number: '+14155550100',
  custom: { city: 'Köln', 'größe-2': 'XL' },
  account: { name: 'Acme Inc', senderName: 'Acme' },
};

function parsed(text: string): Template {
  const result = parseTemplate(text);
  if (result.kind !== 'template') throw new Error(result.message);
  return result.template;
}

describe('rendering', () => {
  test.each([
    ['Hi {{firstName}} {{lastName}}!', 'Hi Ann Lee!', 'Hi  !', ['firstName', 'lastName']],
    ['Hi {{firstName|there}}!', 'Hi Ann!', 'Hi there!', []],
    ['Hi {{ firstName | dear friend }}!', 'Hi Ann!', 'Hi dear friend!', []],
    ['Hi{{\n firstName |}}!', 'HiAnn!', 'Hi!', []],
    [
      '{{account.senderName}} in {{custom.city|your city}}',
      'Acme in Köln',
      ' in your city',
      ['account.senderName'],
    ],
    ['{{custom.größe-2}}{{custom.größe-2}}', 'XLXL', '', ['custom.größe-2']],
    ['{{number}} {{account.name}}', '+14155550100 Acme Inc', ' ', ['number', 'account.name']],
    ['{{firstName|a|b}}', 'Ann', 'a|b', []],
    ['no fields } }} {', 'no fields } }} {', 'no fields } }} {', []],
    ['', '', '', []],
  ])('%j', (text, forAnn, forNobody, missing) => {
    expect(renderTemplate(parsed(text), ann)).toEqual({ text: forAnn, missing: [] });
    expect(renderTemplate(parsed(text), nobody)).toEqual({ text: forNobody, missing });
  });

  test('a blank value counts as missing', () => {
    expect(renderTemplate(parsed('{{firstName|you}}'), { ...nobody, firstName: ' ' }).text).toBe('you');
  });

  test('a value is never parsed again', () => {
    fc.assert(
      fc.property(fc.constantFrom('{{lastName}}', '{{', '}}', '$&', '{{custom.city|x}}'), (value) => {
        const text = renderTemplate(parsed('a{{firstName}}b'), { ...ann, firstName: value }).text;
        expect(text).toBe(`a${value}b`);
      }),
    );
  });

  test('what every object inherits is no custom field', () => {
    const { text, missing } = renderTemplate(parsed('{{custom.constructor}}{{custom.toString}}'), nobody);
    expect([text, missing]).toEqual(['', ['custom.constructor', 'custom.toString']]);
  });
});

describe('parsing', () => {
  test.each([
    ['Hi {{firstName', 3],
    ['Hi {{firstName} there', 3],
    ['{{firstName {{lastName}}', 0],
    ['ok {{firstName}} {{}}', 17],
    ['{{ | there}}', 0],
    ['{{first_name}}', 0],
    ['{{firstname}}', 0],
    ['{{{firstName}}}', 0],
    ['{{custom.}}', 0],
    ['{{custom.a b}}', 0],
    ['{{custom.__proto__}}', 0],
    ['{{account.key}}', 0],
    ['{{toString}}', 0],
    [`{{custom.${'a'.repeat(65)}}}`, 0],
  ])('%j is malformed at %i', (text, position) => {
    expect(parseTemplate(text)).toMatchObject({ kind: 'malformed', position });
  });

  test('any text either parses or says where it fails, and text without braces stands for itself', () => {
    const pieces = fc.constantFrom('{', '}', '{{', '}}', '|', 'firstName', 'custom.x', ' ', 'é😀', '\n');
    fc.assert(
      fc.property(
        fc.array(pieces).map((parts) => parts.join('')),
        (text) => {
          const result = parseTemplate(text);
          const holds =
            result.kind === 'malformed'
              ? text.startsWith('{{', result.position)
              : text.includes('{{') || renderTemplate(result.template, nobody).text === text;
          expect(holds).toBe(true);
        },
      ),
    );
  });
});

describe('fields', () => {
  test('are named once each, in order', () => {
    const template = parsed('{{lastName|x}} {{firstName}} {{lastName}} {{custom.city|y}}');
    expect(fieldsOf(template)).toEqual(['lastName', 'firstName', 'custom.city']);
    expect(fieldsWithoutFallback(template)).toEqual(['firstName', 'lastName']);
  });

  test.each([
    ['Sale today', true],
    ['{{account.senderName}}: sale {{account.name|x}}', true],
    ['{{account.senderName}}: hi {{firstName|there}}', false],
    ['{{custom.city}}', false],
  ])('%j is the same for all recipients: %s', (text, expected) =>
    expect(isConstant(parsed(text))).toBe(expected),
  );

  test.each([
    ['city', true],
    ['Größe_2', true],
    ['город', true],
    ['2nd', false],
    ['_x', false],
    ['a.b', false],
    ['', false],
  ])('the key %j is allowed: %s', (key, expected) => expect(isCustomKey(key)).toBe(expected));
});
