import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MessageReport, reportOf, sumReports, total } from '../../domain/report.ts';

/** What can become of one recipient, as the counters that it moves. */
const FATES = {
  waiting: [],
  delivered: ['accepted', 'delivered'],
  undelivered: ['accepted', 'undelivered:70'],
  failed: ['accepted', 'failed:50'],
  failedOtherwise: ['accepted', 'failed:300'],
  awaiting: ['accepted'],
  refused: ['rejected:http_400'],
  unknown: ['unknown'],
  absent: ['unknown', 'absent'],
  final: ['unknown', 'final'],
  resolved: ['unknown', 'resolved', 'accepted', 'delivered'],
  skipped: ['skipped:opt_out'],
  expired: ['expired'],
  inFlight: ['in_flight'],
  deferred: ['not_accepted'],
  deferredThenInFlight: ['not_accepted', 'in_flight_again'],
  deferredThenAccepted: ['not_accepted', 'left_deferral', 'accepted'],
  deferredThenExpired: ['not_accepted', 'left_deferral', 'expired'],
} as const;
type Fate = keyof typeof FATES;

const anyFates = fc.array(fc.constantFrom(...(Object.keys(FATES) as Fate[])), { maxLength: 60 });

function countersOf(fates: readonly Fate[]): Map<string, number> {
  const counters = new Map<string, number>();
  for (const counter of fates.flatMap((fate) => FATES[fate])) {
    counters.set(counter, (counters.get(counter) ?? 0) + 1);
  }
  return counters;
}

function everybody(report: MessageReport): number {
  const { accepted, unknown, expired, deferred, inFlight, waiting } = report;
  return (
    accepted +
    total(report.rejected) +
    unknown +
    total(report.skipped) +
    expired +
    deferred +
    inFlight +
    waiting
  );
}

describe('a report', () => {
  it('accounts for everybody, each once', () => {
    fc.assert(
      fc.property(anyFates, (fates) => {
        const count = (...wanted: Fate[]): number => fates.filter((fate) => wanted.includes(fate)).length;
        const report = reportOf(countersOf(fates), fates.length);
        expect(everybody(report)).toBe(report.recipients);
        expect(report).toMatchObject({
          inFlight: count('inFlight', 'deferredThenInFlight'),
          waiting: count('waiting'),
          delivered: count('delivered', 'resolved'),
          awaitingReport: count('awaiting', 'deferredThenAccepted'),
          unknown: count('unknown', 'absent', 'final'),
          unknownAs: { unresolved: count('unknown'), absent: count('absent'), final: count('final') },
          expired: count('expired', 'deferredThenExpired'),
          deferred: count('deferred'),
        });
        expect(total(report.failed)).toBe(count('failed', 'failedOtherwise'));
        expect(total(report.skipped)).toBe(count('skipped'));
      }),
    );
  });

  it('of several messages is the sum of theirs', () => {
    fc.assert(
      fc.property(fc.array(anyFates, { maxLength: 4 }), (messages) => {
        const reports = messages.map((fates) => reportOf(countersOf(fates), fates.length));
        const all = messages.flat();
        expect(sumReports(reports)).toEqual(reportOf(countersOf(all), all.length));
      }),
    );
  });

  it('names the most frequent reason first', () => {
    const counters = new Map([
      ['failed:50', 2],
      ['failed:300', 7],
      ['failed:420', 2],
      ['failed:10', 0],
    ]);
    expect(reportOf(counters, 11).failed).toEqual([
      { reason: '300', count: 7 },
      { reason: '420', count: 2 },
      { reason: '50', count: 2 },
    ]);
  });

  it('shows what the carrier billed in place of the estimate for the same texts', () => {
    const counters = new Map([
      ['estimate_micro_usd', 30_000],
      ['estimate_of_billed_micro_usd', 10_000],
      ['billed_micro_usd', 12_500],
    ]);
    expect(reportOf(counters, 3).costMicroUsd).toBe(32_500);
  });
});
