import {
  applyStatusReports,
  type ReportVerdict,
  type StatusReport,
  type StatusReportDeps,
} from '../db/status-reports.ts';

/** Takes status reports one by one and applies them in batches. */
export interface CallbackBatch {
  /** Resolves once the report is durable. */
  readonly add: (report: StatusReport) => Promise<ReportVerdict>;
}

interface Waiting {
  readonly report: StatusReport;
  readonly resolve: (verdict: ReportVerdict) => void;
  readonly reject: (error: unknown) => void;
}

/** The most reports of one transaction. */
const BATCH_MAX = 500;

/**
 * While one batch commits the next gathers, so a burst shares its commits and a single report waits for
 * nothing but its own.
 */
export function createCallbackBatch(deps: StatusReportDeps): CallbackBatch {
  let waiting: Waiting[] = [];
  let isRunning = false;

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_MAX);
      waiting = waiting.slice(BATCH_MAX);
      try {
        const verdicts = await applyStatusReports(
          deps,
          batch.map((one) => one.report),
        );
        for (const [index, one] of batch.entries()) one.resolve(verdicts[index] ?? 'gone');
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    isRunning = false;
  };

  return {
    add: (report) =>
      new Promise((resolve, reject) => {
        waiting.push({ report, resolve, reject });
        if (isRunning) return;
        isRunning = true;
        setImmediate(() => {
          // `run` hands every failure to those who wait, so it never rejects itself.
          void run();
        });
      }),
  };
}
