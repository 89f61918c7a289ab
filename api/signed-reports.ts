import type { ReportedState } from '../carrier/plivo/callback.ts';
import {
  type CarrierCredentials,
  carrierCredentialsOfLeases,
  openCredentials,
} from '../db/carrier-accounts.ts';
import { numberHash } from '../db/number-hash.ts';
import { applyStatusReports, type ReportVerdict, type StatusReport } from '../db/status-reports.ts';
import type { PostId } from '../domain/callback-path.ts';
import type { ApiDeps } from './deps.ts';

/** What a callback says, once it is known with which credentials it has to be signed. */
export type ReadCallback =
  | { readonly kind: 'report'; readonly report: ReportedState }
  | { readonly kind: 'malformed'; readonly field: string }
  | { readonly kind: 'unsigned' };

/** A callback on a path that we have made. */
export interface CallbackOfPost {
  readonly accountId: string;
  readonly post: PostId;
  readonly read: (credentials: CarrierCredentials | null) => ReadCallback;
}

/** What became of it; `gone` is a lease that was retained away. */
export type CallbackFate =
  | Exclude<ReadCallback, { readonly kind: 'report' }>
  | { readonly kind: 'told'; readonly verdict: ReportVerdict };

/**
 * Verifies callbacks of any accounts and applies what they report: one question for all credentials, and one
 * transaction for all reports, which are durable when this resolves. `applied` is told each verdict.
 */
export async function applySignedReports(
  deps: ApiDeps,
  callbacks: readonly CallbackOfPost[],
  applied: (report: StatusReport, verdict: ReportVerdict) => void,
): Promise<CallbackFate[]> {
  const credentials = await carrierCredentialsOfLeases(
    deps.db,
    callbacks.map(({ accountId, post }) => ({ accountId, month: post.month, leaseId: post.leaseId })),
  );
  const fates: CallbackFate[] = callbacks.map(() => ({ kind: 'told', verdict: 'gone' }));
  const reports: StatusReport[] = [];
  const places: number[] = [];
  for (const [index, { accountId, post, read }] of callbacks.entries()) {
    const sealed = credentials[index];
    if (sealed === null || sealed === undefined) continue;
    const found = read(openCredentials(sealed, deps.keys, deps.defaultCredentials));
    if (found.kind === 'report') {
      const { report } = found;
      reports.push({ ...report, accountId, post, toHash: numberHash(deps.hashKey, report.to) });
      places.push(index);
    } else fates[index] = found;
  }
  const verdicts = await applyStatusReports(deps, reports);
  for (const [turn, report] of reports.entries()) {
    const verdict = verdicts[turn] ?? 'gone';
    fates[places[turn] ?? -1] = { kind: 'told', verdict };
    applied(report, verdict);
  }
  return fates;
}
