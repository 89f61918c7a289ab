import type { CampaignAccountView, CentralReviewView, ReportView } from './views.ts';

/** Lines in columns, the first of them the names of the columns; those with numbers stand to the right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_head, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isNumeric = widths.map((_width, column) =>
    rows.slice(1).every((row) => /^\$?\d/.test(row[column] ?? '')),
  );
  return rows.map((row) =>
    `  ${row
      .map((cell, column) =>
        isNumeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')}`.trimEnd(),
  );
}

/** What a review says of each account, and of all together. */
export function reviewLines({
  central,
  recipients,
  segments,
  cost,
}: Pick<CentralReviewView, 'central' | 'recipients' | 'segments' | 'cost'>): string[] {
  return [
    `${central.accounts} accounts with ${central.lists} lists, ${recipients} recipients, ${segments} segments, ${dollars(cost)}; ${central.faulty} with something to look at:`,
    ...columns([
      ['account', 'zone', 'lists', 'recipients', 'segments', 'cost', 'starts', 'ends', ''],
      ...central.items.map((part) => [
        part.name,
        part.timeZone,
        String(part.lists),
        String(part.recipients),
        String(part.segments),
        dollars(part.cost),
        wallClock(part.messages[0]?.startsAt),
        wallClock(part.messages[0]?.endsAt),
        part.warnings.map(({ message }) => message).join(' '),
      ]),
    ]),
  ];
}

/** How each account stands, as its parent sees it: a state and why, and no figure. */
export function accountLines(accounts: readonly CampaignAccountView[]): string[] {
  return columns([
    ['account', 'zone', 'state', 'why'],
    ...accounts.map(({ name, timeZone, state, reason }) => [name, timeZone, state, reason?.message ?? '']),
  ]);
}

/** What became of each account's texts, from the account's own report. */
export function reportTable(
  reports: readonly { readonly name: string; readonly report: ReportView }[],
): string[] {
  const sum = (counts: ReportView['failed']): number => counts.reduce((all, { count }) => all + count, 0);
  return columns([
    ['account', 'recipients', 'delivered', 'undelivered', 'failed', 'skipped', 'other', 'cost'],
    ...reports.map(({ name, report }) => [
      name,
      ...[
        report.recipients,
        report.delivered,
        sum(report.undelivered),
        sum(report.failed),
        sum(report.skipped),
        sum(report.rejected) + report.unknown + report.expired + report.awaitingReport + unsentOf(report),
      ].map(String),
      dollars(report.cost),
    ]),
  ]);
}

/** Whoever of a report has not been dealt with. */
export function unsentOf(report: ReportView): number {
  return report.waiting + report.inFlight + report.deferred;
}

/** A table that changes before one's eyes. */
export interface LiveTable {
  readonly update: (accounts: readonly CampaignAccountView[]) => void;
  /** Says something in between; the table goes on below it. */
  readonly note: (line: string) => void;
}

/** On a terminal the table is written over; a file or a pipe gets a line for each account whose standing has changed. */
export function createLiveTable(say: (line: string) => void): LiveTable {
  return process.stdout.isTTY ? createRewritten(say) : createLines(say);
}

function createRewritten(say: (line: string) => void): LiveTable {
  let shown: readonly string[] = [];
  return {
    update: (accounts) => {
      const width = process.stdout.columns;
      const lines = accountLines(accounts).map((line) =>
        line.length < width ? line : `${line.slice(0, width - 2)}…`,
      );
      if (lines.join('\n') === shown.join('\n')) return;
      if (shown.length > 0) process.stdout.write(`\u001b[${shown.length}A\u001b[J`);
      process.stdout.write(`${lines.join('\n')}\n`);
      shown = lines;
    },
    note: (line) => {
      say(line);
      shown = [];
    },
  };
}

function createLines(say: (line: string) => void): LiveTable {
  let shown: ReadonlyMap<string, string> = new Map();
  return {
    update: (accounts) => {
      const lines = new Map(
        accounts.map(({ accountId, name, timeZone, state, reason }) => [
          accountId,
          `  ${name} (${timeZone}): ${state}${reason === null ? '' : `. ${reason.message}`}`,
        ]),
      );
      for (const [accountId, line] of lines) if (shown.get(accountId) !== line) say(line);
      shown = lines;
    },
    note: say,
  };
}

function dollars({ amountMicro }: { readonly amountMicro: number }): string {
  return `$${(amountMicro / 1_000_000).toFixed(2)}`;
}

/** The time of day of an instant with an offset, as the clocks there show it. */
function wallClock(instant: string | null | undefined): string {
  return instant?.slice(11, 19) ?? '-';
}
