import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { BRANCHES } from '../../dev/demo/central-branches.ts';
import { type BranchEnd, faultsOf, REFUSED } from '../../dev/demo/central-check.ts';
import { accountLines } from '../../dev/demo/central-show.ts';
import { zonesInDaylight } from '../../dev/demo/daylight.ts';
import { shareContacts } from '../../dev/demo/share-contacts.ts';
import type { ReportView } from '../../dev/demo/views.ts';
import { createCsvReader } from '../../domain/import/csv-rows.ts';
import { isQuiet } from '../../domain/quiet-hours.ts';

const HOUR_MS = 60 * 60_000;
const NIGHT = { start: '20:00', end: '08:00' };

function rowsOf(file: Buffer): string[] {
  const reader = createCsvReader(',');
  const text = new TextDecoder().decode(file);
  return [...reader.push(text), ...reader.end()].map((row) =>
    row.kind === 'fields' ? row.fields.join('|') : row.text,
  );
}

describe('the demo of Central Send', () => {
  it('finds a zone for each sub-account in which no quiet hours begin within the hour, at any hour in each season', () => {
    for (const day of ['2026-01-15', '2026-03-20', '2026-07-15', '2026-10-28']) {
      for (let hour = 0; hour < 24; hour += 1) {
        const now = Date.parse(`${day}T00:30:00Z`) + hour * HOUR_MS;
        const zones = zonesInDaylight(now, BRANCHES);
        expect(new Set(zones).size).toBe(BRANCHES);
        const quiet = zones.filter(
          (zone) => isQuiet(now, NIGHT, zone) || isQuiet(now + HOUR_MS, NIGHT, zone),
        );
        expect(quiet).toEqual([]);
      }
    }
  });

  it('gives each row of the file to one sub-account, quoted line breaks and all', async () => {
    const file = await readFile(new URL('../../examples/contacts.csv', import.meta.url));
    const [header, ...rows] = rowsOf(file);
    const shares = shareContacts(file, BRANCHES).map(rowsOf);
    expect(shares.map((share) => share[0])).toEqual(shares.map(() => header));
    expect(shares.flatMap((share) => share.slice(1)).toSorted()).toEqual(rows.toSorted());
    const sizes = shares.map((share) => share.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it('keeps its columns in line however long what stands in them is', () => {
    const account = { accountId: 'acc', campaignId: null, canRetry: false, reason: null };
    const lines = accountLines([
      { ...account, name: 'Harbour', timeZone: 'Asia/Tokyo', state: 'done' },
      {
        ...account,
        name: 'Harbour New York',
        timeZone: 'America/New_York',
        state: 'suspended',
        reason: { code: 'no_sender', message: 'There is none.' },
      },
    ]);
    expect(lines).toEqual([
      '  account           zone              state      why',
      '  Harbour           Asia/Tokyo        done',
      '  Harbour New York  America/New_York  suspended  There is none.',
    ]);
  });
});

const REPORT: ReportView = {
  recipients: 10,
  accepted: 8,
  delivered: 6,
  undelivered: [{ reason: '80', count: 1 }],
  failed: [{ reason: '50', count: 1 }],
  awaitingReport: 0,
  rejected: [],
  unknown: 0,
  skipped: [{ reason: 'opt_out', count: 2 }],
  expired: 0,
  deferred: 0,
  inFlight: 0,
  waiting: 0,
  segments: 8,
  cost: { amountMicro: 80_000, currency: 'USD' },
};
const WELL: BranchEnd = {
  name: 'Harbour',
  contacts: 10,
  optedOut: 2,
  planned: 8,
  state: 'done',
  report: REPORT,
  parentAnswer: REFUSED,
};
const TEXTS = Array.from({ length: 8 }, (_, index) => ({
  src: '24365',
  dst: `1212555200${index}`,
  final: 'delivered',
}));

describe('the check at its end', () => {
  it('finds nothing where everybody is accounted for, a second text after a failed one included', () => {
    expect(faultsOf([WELL], TEXTS)).toEqual([]);
    const failed = { src: '24365', dst: '12125552000', final: 'failed' };
    expect(faultsOf([WELL], [failed, ...TEXTS])).toEqual([]);
  });

  it.each<readonly [string, Partial<BranchEnd>]>([
    ['an account that is not done', { state: 'suspended' }],
    ['somebody who is on no list of recipients', { contacts: 11 }],
    ['somebody of whom the report says nothing', { report: { ...REPORT, accepted: 7, delivered: 5 } }],
    ['an accepted text of which the report says nothing', { report: { ...REPORT, delivered: 5 } }],
    [
      'somebody who has not been dealt with',
      { report: { ...REPORT, delivered: 5, accepted: 7, waiting: 1 } },
    ],
    ['somebody who had opted out and was texted', { optedOut: 3 }],
    ['another number than was planned', { planned: 9 }],
    ['a parent that reads a report', { parentAnswer: '200' }],
  ])('names %s', (_what, change) => {
    expect(faultsOf([{ ...WELL, ...change }], TEXTS)).not.toEqual([]);
  });

  it('names whoever was texted twice, and whoever only the carrier knows of', () => {
    const [first] = TEXTS;
    expect(faultsOf([WELL], first === undefined ? [] : [first, ...TEXTS])).toEqual([
      'Texted twice by one account: 1.',
    ]);
    expect(faultsOf([WELL], [{ src: '24365', dst: '12125552099', final: 'sent' }, ...TEXTS])).toEqual([
      'The carrier has texted 9 people, and the reports say 8.',
    ]);
  });
});
