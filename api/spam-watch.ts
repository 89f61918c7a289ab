import type { Db } from '../db/database.ts';
import { countSenderReports, type LeaseReports } from '../db/sender-reports.ts';
import type { ReportVerdict, StatusReport } from '../db/status-reports.ts';
import { describeErrorCode } from '../domain/error-codes.ts';
import { countLater } from './count-later.ts';

/** Gathers how texts end, and has it counted by sender beside the path of the reports. */
export interface SpamWatch {
  readonly note: (report: StatusReport, verdict: ReportVerdict) => void;
  /** Resolves once everything noted so far has been counted. */
  readonly close: () => Promise<void>;
}

const SPAM = '30';
const FINALS: ReadonlySet<string> = new Set(['delivered', 'undelivered', 'failed', 'rejected']);

/** A watch that counts a second later. */
export function createSpamWatch(db: Db, onError: (error: unknown) => void): SpamWatch {
  const counts = countLater<LeaseReports>((batch) => countSenderReports(db, batch), onError);

  return {
    note: (report, verdict) => {
      if (verdict !== 'applied' || !FINALS.has(report.status)) return;
      const { accountId, post } = report;
      const key = `${accountId} ${post.month} ${post.leaseId}`;
      const isSpam = report.status !== 'delivered' && describeErrorCode(report.errorCode ?? '').code === SPAM;
      counts.add(key, (known) => ({
        accountId,
        post,
        finals: (known?.finals ?? 0) + 1,
        spam: (known?.spam ?? 0) + (isSpam ? 1 : 0),
      }));
    },
    close: counts.close,
  };
}
