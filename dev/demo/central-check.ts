import { unsentOf } from './central-show.ts';
import type { ReportView } from './views.ts';

/** How a sub-account's part has ended, from all who know something of it. */
export interface BranchEnd {
  readonly name: string;
  /** Contacts on its lists, each counted once. */
  readonly contacts: number;
  readonly optedOut: number;
  /** Whom the review said it would text. */
  readonly planned: number;
  /** What the parent sees. */
  readonly state: string;
  /** Its own report. */
  readonly report: ReportView;
  /** What the parent is answered when it asks for that report. */
  readonly parentAnswer: string;
}

/** A text that the carrier has accepted. */
export interface AcceptedText {
  readonly src: string;
  readonly dst: string;
  readonly final: string | null;
}

/** What the parent has to be answered. */
export const REFUSED = '403 grant-missing';

/** Everything that does not add up, in words; empty when everybody is accounted for and nobody was texted twice. */
export function faultsOf(ends: readonly BranchEnd[], accepted: readonly AcceptedText[]): string[] {
  return [...ends.flatMap(faultsOfBranch), ...faultsAtCarrier(ends, accepted)];
}

function faultsOfBranch({
  name,
  contacts,
  optedOut,
  planned,
  state,
  report,
  parentAnswer,
}: BranchEnd): string[] {
  const skipped = sum(report.skipped);
  const skippedOptOuts = sum(report.skipped.filter(({ reason }) => reason === 'opt_out'));
  const told =
    report.accepted + sum(report.rejected) + report.unknown + skipped + report.expired + unsentOf(report);
  const accepted = report.delivered + sum(report.undelivered) + sum(report.failed) + report.awaitingReport;
  const rules: readonly (readonly [boolean, string])[] = [
    [state === 'done', `the parent sees it as ${state}`],
    [report.recipients === contacts, `${contacts} contacts, and ${report.recipients} recipients`],
    [told === report.recipients, `${report.recipients} recipients, and ${told} of them in its report`],
    [accepted === report.accepted, `${report.accepted} texts accepted, and ${accepted} in its report`],
    [unsentOf(report) === 0, `${unsentOf(report)} people have not been dealt with`],
    [skippedOptOuts === optedOut, `${optedOut} have opted out, and ${skippedOptOuts} were skipped for it`],
    [
      report.recipients - skipped === planned,
      `${planned} were planned, and ${report.recipients - skipped} not skipped`,
    ],
    [parentAnswer === REFUSED, `the parent was answered ${parentAnswer} when it asked for its report`],
  ];
  return rules.flatMap(([holds, words]) => (holds ? [] : [`${name}: ${words}.`]));
}

/** The carrier's own ledger knows nothing of ours. */
function faultsAtCarrier(ends: readonly BranchEnd[], accepted: readonly AcceptedText[]): string[] {
  const texts = new Map<string, number>();
  for (const { src, dst, final } of accepted) {
    const key = `${src} ${dst}`;
    texts.set(key, (texts.get(key) ?? 0) + (final === 'failed' ? 0 : 1));
  }
  const twice = [...texts.values()].filter((count) => count > 1).length;
  const least = ends.reduce((all, { report }) => all + report.accepted, 0);
  const most = ends.reduce((all, { report }) => all + report.accepted + report.unknown, 0);
  return [
    ...(twice === 0 ? [] : [`Texted twice by one account: ${twice}.`]),
    ...(texts.size >= least && texts.size <= most
      ? []
      : [`The carrier has texted ${texts.size} people, and the reports say ${least}.`]),
  ];
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((all, { count }) => all + count, 0);
}
