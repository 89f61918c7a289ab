import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  columnTargets,
  customKeyOf,
  detectDelimiter,
  guessMapping,
  isColumnTarget,
} from '../../domain/csv-format.ts';
import { isCustomKey } from '../../domain/template.ts';

describe('the delimiter', () => {
  test.each([
    ['number,name\n+1,Ann\n', ','],
    ['number;name;city\n+1;"Lee, Ann";Bonn, DE\n+2;Bo;Köln\n', ';'],
    ['number\tname\n+1\tLee, Ann\n', '\t'],
    ['number|name|x\n+1|Ann|a,b\n', '|'],
    ['"a;b;c",name\r\n"d;e;f",Bo\r\n', ','],
    ['name,note\nAnn,"one;\ntwo;three"\nBo,x\n', ','],
    ['number\n+14155550100\n', ','],
    ['number;name', ';'],
    ['', ','],
    ['\n\n', ','],
    ['number;name\n+1;"open quote, that never ends\n', ';'],
    ['preis;name\n1,50;Ann\n2,50;Bo\n', ';'],
  ])('of %j is %j', (sample, expected) => expect(detectDelimiter(sample)).toBe(expected));

  test('is found in any file that a spreadsheet writes', () => {
    const cell = fc.stringMatching(/^[A-Za-z0-9 +.-]{0,12}$/);
    const table = fc
      .integer({ min: 2, max: 6 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 9 }),
      );
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t', '|'), (rows, delimiter) => {
        expect(detectDelimiter(rows.map((row) => row.join(delimiter)).join('\n'))).toBe(delimiter);
      }),
    );
  });
});

describe('the mapping', () => {
  test.each([
    [
      ['Phone', 'First Name', 'Last name', 'Time Zone', 'Loyalty Points'],
      ['number', 'firstName', 'lastName', 'zone', 'custom.loyalty_points'],
    ],
    [
      ['Vorname', 'Nachname', 'Mobilnummer'],
      ['firstName', 'lastName', 'number'],
    ],
    [
      ['Prénom', 'Nom', 'Téléphone'],
      ['firstName', 'lastName', 'number'],
    ],
    [
      ['phone', 'mobile_phone'],
      ['custom.phone', 'number'],
    ],
    [
      ['\uFEFFE.164', 'TZ', '???', ''],
      ['number', 'zone', null, null],
    ],
    [
      ['name', 'e-mail'],
      ['custom.name', 'custom.e_mail'],
    ],
    [
      ['City', 'city '],
      ['custom.city', null],
    ],
    [
      ['number', 'number'],
      ['number', null],
    ],
    [
      ['__proto__', 'constructor', 'phone'],
      ['custom.proto', 'custom.constructor', 'number'],
    ],
  ])('of %j is %j', (headers, expected) => {
    expect(columnTargets(headers, guessMapping(headers))).toEqual(expected);
  });

  test('gives no two columns the same target, and only targets that exist', () => {
    const header = fc.oneof(
      fc.constantFrom('phone', 'Mobile', 'first name', 'Vorname', 'tz', '__proto__'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(header), (headers) => {
        const targets = columnTargets(headers, guessMapping(headers)).filter((target) => target !== null);
        expect(new Set(targets).size).toBe(targets.length);
        expect(targets.every(isColumnTarget)).toBe(true);
      }),
    );
  });

  test('leaves out what it does not name', () => {
    expect(columnTargets(['a', 'b', 'toString'], { b: 'number' })).toEqual([null, 'number', null]);
  });

  test.each(['number', 'zone', 'custom.city'])('%s is a target', (target) =>
    expect(isColumnTarget(target)).toBe(true),
  );
  test.each(['phone', 'custom.', 'custom.a b', 'account.name', ''])('%j is none', (target) => {
    expect(isColumnTarget(target)).toBe(false);
  });
});

describe('keys of custom fields', () => {
  test.each([
    ['Loyalty Points (€)', 'loyalty_points'],
    ['  Größe ', 'große'],
    ['Prénom', 'prenom'],
    ['Город', 'город'],
    ['2nd address', 'nd_address'],
    ['123', null],
    ['', null],
    ['x'.repeat(80), 'x'.repeat(64)],
  ])('%j becomes %j', (header, expected) => expect(customKeyOf(header)).toBe(expected));

  test('are valid and stay what they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 90 }), (header) => {
        const key = customKeyOf(header);
        expect(key === null || (isCustomKey(key) && customKeyOf(key) === key)).toBe(true);
      }),
    );
  });
});
