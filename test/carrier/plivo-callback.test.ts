import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInboundMessage, parseStatusCallback, REPORTED_STATUSES } from '../../carrier/plivo/callback.ts';

const STATUS = {
  MessageUUID: '00000000-0000-4000-8000-000000000001',
  To: '14155550001',
  From: '14155550100',
  Status: 'delivered',
  ErrorCode: '000',
  Units: '2',
  TotalRate: '0.0055',
  TotalAmount: '0.01100',
  MCC: '310',
  MNC: '410',
  Sequence: '3',
};
const INBOUND = {
  MessageUUID: '00000000-0000-4000-8000-000000000002',
  From: '14155550001',
  To: '14155550100',
  Text: 'Yes, please',
  Type: 'sms',
};
/** What no field may hold, whichever it is. */
const GARBAGE = [
  '\u0000',
  '1\u00004155550001',
  '14155550001\u0000',
  '14155550001\n',
  '\ud800',
  '<script>',
  '=cmd()',
  'x'.repeat(100_000),
  '9'.repeat(100_000),
];

const reportOf = (changes: Readonly<Record<string, string>>): unknown => {
  const parsed = parseStatusCallback({ ...STATUS, ...changes });
  return parsed.kind === 'report' ? parsed.report : parsed;
};
const malformed = (field: string): unknown => ({ kind: 'malformed', field });
const without = (form: Readonly<Record<string, string>>, field: string): Record<string, string> =>
  Object.fromEntries(Object.entries(form).filter(([name]) => name !== field));

describe('a status callback', () => {
  it('is read whole', () => {
    expect(parseStatusCallback(STATUS)).toEqual({
      kind: 'report',
      report: {
        uuid: STATUS.MessageUUID,
        from: '14155550100',
        to: '+14155550001',
        status: 'delivered',
        errorCode: null,
        units: 2,
        billedMicroUsd: 11_000,
        sequence: 3,
      },
    });
  });

  it.each(REPORTED_STATUSES)('says %s as it stands', (status) => {
    expect(reportOf({ Status: status })).toMatchObject({ status });
  });

  it.each(['', 'Delivered', 'read', 'toString', '__proto__', ' sent'])(
    'of status %j is refused',
    (status) => {
      expect(reportOf({ Status: status })).toEqual(malformed('Status'));
    },
  );

  it('keeps the code of every error and takes zeros for none', () => {
    const codes =
      '10 20 30 40 50 60 70 80 90 100 110 120 200 201 300 420 450 451 900 910 950 960 1000 99999'.split(' ');
    for (const code of codes) expect(reportOf({ ErrorCode: code }), code).toMatchObject({ errorCode: code });
    for (const code of ['', '0', '000'])
      expect(reportOf({ ErrorCode: code }), code).toMatchObject({ errorCode: null });
    for (const code of ['-1', '1.5', 'E42', '123456', ' 40', '40 ', '0x10', 'NaN'])
      expect(reportOf({ ErrorCode: code }), code).toEqual(malformed('ErrorCode'));
  });

  it.each([
    ['0.0055', 5_500],
    ['0', 0],
    ['0.00000', 0],
    ['7e-05', 70],
    ['.5', 500_000],
    ['1000', 1_000_000_000],
  ])('billed with %s USD books %i micro-USD', (amount, microUsd) => {
    expect(reportOf({ TotalAmount: amount })).toMatchObject({ billedMicroUsd: microUsd });
  });

  it.each(['-1', '1000.01', '1e99', 'Infinity', 'NaN', '0x10', ' ', '1,5', '1_000', '$1', '1 '])(
    'billed with %j is refused, so that nothing wrong is booked',
    (amount) => {
      expect(reportOf({ TotalAmount: amount })).toEqual(malformed('TotalAmount'));
      expect(reportOf({ Units: amount })).toEqual(malformed('Units'));
    },
  );

  it('may lack what is not known yet', () => {
    const { MessageUUID, To, From } = STATUS;
    expect(parseStatusCallback({ MessageUUID, To, From, Status: 'queued' })).toEqual({
      kind: 'report',
      report: {
        uuid: MessageUUID,
        from: From,
        to: '+14155550001',
        status: 'queued',
        errorCode: null,
        units: null,
        billedMicroUsd: null,
        sequence: null,
      },
    });
  });

  it('counts without a sequence that it can read', () => {
    for (const sequence of ['', 'third', '-1', '9'.repeat(400)])
      expect(reportOf({ Sequence: sequence }), sequence).toMatchObject({
        status: 'delivered',
        sequence: null,
      });
  });

  it.each(['14155550100', '+14155550100', '12345', 'Bakery', 'B & K', 'A+B', 'Shop.co_1-2'])(
    'names the sender %j, as a campaign may',
    (from) => {
      expect(reportOf({ From: from })).toMatchObject({ from });
    },
  );

  it.each([
    ['14155550001', '+14155550001'],
    ['+14155550001', '+14155550001'],
    ['49301234567', '+49301234567'],
  ])('to %s is one to %s', (to, e164) => {
    expect(reportOf({ To: to })).toMatchObject({ to: e164 });
  });

  it.each(['MessageUUID', 'To', 'From', 'Status'])('without %s is refused', (field) => {
    expect(parseStatusCallback(without(STATUS, field))).toEqual(malformed(field));
    expect(reportOf({ [field]: '' })).toEqual(malformed(field));
  });

  it.each(['MessageUUID', 'To', 'From', 'Status', 'ErrorCode', 'Units', 'TotalAmount'])(
    'with garbage for %s is refused by that name',
    (field) => {
      for (const garbage of GARBAGE.filter((one) => field !== 'From' || !/^\d+$/.test(one)))
        expect(reportOf({ [field]: garbage })).toEqual(malformed(field));
    },
  );

  it('never throws, whatever it holds, and never lets a NUL through', () => {
    const anything = fc.oneof(
      fc.constantFrom(...GARBAGE, ...Object.values(STATUS)),
      fc.string({ unit: 'binary' }),
    );
    const names = fc.oneof(fc.constantFrom(...Object.keys(STATUS)), fc.string());
    fc.assert(
      fc.property(fc.dictionary(names, anything), (changes) => {
        for (const form of [changes, { ...STATUS, ...changes }]) {
          const parsed = parseStatusCallback(form);
          expect(JSON.stringify(parsed)).not.toContain('\\u0000');
          // A refusal names the field; it does not repeat what was in it.
          const named = parsed.kind === 'malformed' ? parsed.field : 'To';
          expect(Object.keys(STATUS)).toContain(named);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an inbound text', () => {
  const messageOf = (changes: Readonly<Record<string, string>>): unknown => {
    const parsed = parseInboundMessage({ ...INBOUND, ...changes });
    return parsed.kind === 'inbound' ? parsed.message : parsed;
  };

  it('is read whole', () => {
    expect(messageOf({})).toEqual({
      uuid: INBOUND.MessageUUID,
      from: '+14155550001',
      to: '+14155550100',
      text: 'Yes, please',
    });
  });

  it('to a short code keeps the code as it is', () => {
    expect(messageOf({ To: '12345' })).toMatchObject({ to: '12345' });
  });

  it('with media counts, with or without words', () => {
    const media = {
      Type: 'mms',
      Media0: 'https://media.example/a.jpg',
      Media1: 'https://media.example/b.jpg',
    };
    expect(messageOf({ ...media, Text: 'STOP' })).toMatchObject({ text: 'STOP' });
    expect(messageOf({ ...media, Text: '' })).toMatchObject({ text: '' });
    expect(parseInboundMessage(without({ ...INBOUND, ...media }, 'Text'))).toMatchObject({
      message: { text: '' },
    });
  });

  it('loses its NULs, so that it can be stored and a STOP with one still stops', () => {
    expect(messageOf({ Text: 'ST\u0000OP\u0000' })).toMatchObject({ text: 'STOP' });
  });

  it('keeps every other sign', () => {
    const text = 'Grüße\r\n\t🥖 <b> "\\" \u202e\u0007';
    expect(messageOf({ Text: text })).toMatchObject({ text });
  });

  it('may be as long as a text can be, and no longer', () => {
    expect(messageOf({ Text: 'x'.repeat(5_000) })).toMatchObject({ text: 'x'.repeat(5_000) });
    expect(messageOf({ Text: 'x'.repeat(5_001) })).toEqual(malformed('Text'));
  });

  it.each(['MessageUUID', 'From', 'To'])('without a good %s is refused by that name', (field) => {
    expect(parseInboundMessage(without(INBOUND, field))).toEqual(malformed(field));
    for (const garbage of ['', ...GARBAGE]) expect(messageOf({ [field]: garbage })).toEqual(malformed(field));
  });

  it('never throws, whatever it holds, and never lets a NUL through', () => {
    const names = fc.oneof(fc.constantFrom(...Object.keys(INBOUND)), fc.string());
    fc.assert(
      fc.property(fc.dictionary(names, fc.string({ unit: 'binary' })), (changes) => {
        for (const form of [changes, { ...INBOUND, ...changes }]) {
          expect(JSON.stringify(parseInboundMessage(form))).not.toContain('\\u0000');
        }
      }),
      { numRuns: 500 },
    );
  });
});
