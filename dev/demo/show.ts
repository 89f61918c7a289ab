import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { CampaignView, ReportView } from './views.ts';

/** Shows how far a campaign is: a bar a message on a terminal, a line now and then elsewhere. */
export interface Progress {
  readonly update: (view: CampaignView) => void;
  readonly end: () => void;
}

const LINE_EVERY_MS = 5_000;

/** Bars on a terminal; plain lines in a file or a pipe. */
export function createProgress(say: (line: string) => void): Progress {
  return process.stdout.isTTY ? createBars() : createLines(say);
}

function createBars(): Progress {
  const multi = new MultiBar(
    {
      format: 'Message {position} |{bar}| {value}/{total}  {status}',
      hideCursor: true,
      clearOnComplete: false,
    },
    Presets.shades_classic,
  );
  const bars = new Map<number, SingleBar>();
  return {
    update: (view) => {
      for (const { position, status, report } of view.messages) {
        const bar = bars.get(position) ?? multi.create(report.recipients, 0, { position, status });
        bars.set(position, bar);
        bar.setTotal(report.recipients);
        bar.update(doneOf(report), { position, status });
      }
    },
    end: () => multi.stop(),
  };
}

function createLines(say: (line: string) => void): Progress {
  let saidAt = 0;
  return {
    update: (view) => {
      if (performance.now() - saidAt < LINE_EVERY_MS) return;
      saidAt = performance.now();
      const parts = view.messages.map(
        ({ position, status, report }) =>
          `message ${position} ${status} ${doneOf(report)}/${report.recipients}`,
      );
      const isHandedOut = view.messages.every(({ report }) => doneOf(report) === report.recipients);
      say(`${view.status}: ${parts.join(', ')}${isHandedOut ? `. ${view.next.why}` : ''}`);
    },
    end: () => undefined,
  };
}

function doneOf(report: ReportView): number {
  return report.recipients - report.waiting - report.inFlight - report.deferred;
}

/** The report as a few lines of text. */
export function reportLines(view: CampaignView): string[] {
  const { report } = view;
  const reasons = (name: string, counts: ReportView['failed']): string[] =>
    counts.map(({ reason, count }) => `  ${`${name}: ${reason}`.padEnd(34)}${String(count).padStart(8)}`);
  const line = (name: string, count: number): string => `  ${name.padEnd(34)}${String(count).padStart(8)}`;
  return [
    `The campaign is ${view.status}. What became of ${report.recipients} texts:`,
    line('delivered', report.delivered),
    ...reasons('undelivered', report.undelivered),
    ...reasons('failed', report.failed),
    ...reasons('rejected', report.rejected),
    ...reasons('skipped', report.skipped),
    line('expired', report.expired),
    line('unknown', report.unknown),
    line('accepted, no last word', report.awaitingReport),
    line('waiting', report.waiting + report.deferred + report.inFlight),
    `  ${'cost'.padEnd(34)}${`$${(report.cost.amountMicro / 1_000_000).toFixed(2)}`.padStart(8)} for ${report.segments} segments`,
  ];
}
