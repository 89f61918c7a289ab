import type { ReportedState } from '../carrier/plivo/callback.ts';
import {
  type CarrierCredentials,
  carrierCredentialsOfLeases,
  type LeaseOfAccount,
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
  const credentials = await credentialsOf(deps, callbacks);
  const fates: CallbackFate[] = callbacks.map(() => ({ kind: 'told', verdict: 'gone' }));
  const reports: StatusReport[] = [];
  const places: number[] = [];
  for (const [index, { accountId, post, read }] of callbacks.entries()) {
    const opened = credentials[index];
    if (opened === undefined) continue;
    const found = read(opened);
    if (found.kind === 'report') {
      const { to, uuid, status, errorCode, units, billedMicroUsd } = found.report;
      const toHash = numberHash(deps.hashKey, to);
      reports.push({ accountId, post, to, toHash, uuid, status, errorCode, units, billedMicroUsd });
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

/**
 * With which credentials each callback has to be signed, null where no key opens them; undefined for a lease that is
 * gone. Callbacks that come together are mostly of few leases and of one carrier account: each is asked for, and
 * opened, once.
 */
async function credentialsOf(
  deps: ApiDeps,
  callbacks: readonly CallbackOfPost[],
): Promise<(CarrierCredentials | null | undefined)[]> {
  const leases = new Map<string, LeaseOfAccount & { readonly place: number }>();
  const places = callbacks.map(({ accountId, post: { month, leaseId } }) => {
    const name = `${accountId} ${month} ${leaseId}`;
    const lease = leases.get(name) ?? { accountId, month, leaseId, place: leases.size };
    leases.set(name, lease);
    return lease.place;
  });
  const opened = new Map<string, CarrierCredentials | null>();
  const found = (await carrierCredentialsOfLeases(deps.db, [...leases.values()])).map((sealed) => {
    if (sealed === null) return undefined;
    const known = opened.get(sealed.id);
    const credentials =
      known === undefined ? openCredentials(sealed, deps.keys, deps.defaultCredentials) : known;
    opened.set(sealed.id, credentials);
    return credentials;
  });
  return places.map((place) => found[place]);
}
