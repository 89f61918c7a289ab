import type { Db } from '../db/database.ts';
import { countSenderReports, type LeaseReports } from '../db/sender-reports.ts';
import type { ReportVerdict, StatusReport } from '../db/status-reports.ts';
import { describeErrorCode } from '../domain/error-codes.ts';

/** Gathers how texts end, and has it counted by sender beside the path of the reports. */
export interface SpamWatch {
  readonly note: (report: StatusReport, verdict: ReportVerdict) => void;
  /** Resolves once everything noted so far has been counted. */
  readonly close: () => Promise<void>;
}

const COUNT_INTERVAL_MS = 1_000;
const SPAM = '30';
const FINALS: ReadonlySet<string> = new Set(['delivered', 'undelivered', 'failed', 'rejected']);

/** What is noted is counted a second later. A process that dies in between loses a second's share of a rate, no report. */
export function createSpamWatch(db: Db, onError: (error: unknown) => void): SpamWatch {
  let noted = new Map<string, LeaseReports>();
  let timer: NodeJS.Timeout | null = null;
  let counting = Promise.resolve();

  const count = (): void => {
    timer = null;
    const batch = [...noted.values()];
    noted = new Map();
    if (batch.length > 0) counting = counting.then(() => countSenderReports(db, batch)).catch(onError);
  };

  return {
    note: (report, verdict) => {
      if (verdict !== 'applied' || !FINALS.has(report.status)) return;
      const { accountId, post } = report;
      const key = `${accountId} ${post.month} ${post.leaseId}`;
      const { finals = 0, spam = 0 } = noted.get(key) ?? {};
      const isSpam = report.status !== 'delivered' && describeErrorCode(report.errorCode ?? '').code === SPAM;
      noted.set(key, { accountId, post, finals: finals + 1, spam: spam + (isSpam ? 1 : 0) });
      timer ??= setTimeout(count, COUNT_INTERVAL_MS);
    },
    close: async () => {
      if (timer !== null) clearTimeout(timer);
      count();
      await counting;
    },
  };
}
