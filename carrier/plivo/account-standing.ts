import type { CarrierStanding } from '../../domain/carrier-standing.ts';
import type { HttpReport } from './http-report.ts';
import { retryAfterMs } from './retry-after.ts';

const MICRO = 1_000_000;
const NO_CREDIT: CarrierStanding = { kind: 'told', creditMicroUsd: 0, isEnabled: true };

/** Reads what Plivo says of the account itself (GET /v1/Account/{auth_id}/). */
export function readAccountReport(report: HttpReport): CarrierStanding {
  const { status } = report;
  if (report.errorCode !== null || status === null) return { kind: 'silent', retryAfterMs: null };
  if (status === 429) return { kind: 'silent', retryAfterMs: retryAfterMs(report) };
  if (status >= 500 && status !== 501) return { kind: 'silent', retryAfterMs: null };
  if (status === 401 || status === 403) return { kind: 'refused' };
  if (status === 402) return NO_CREDIT;
  return (status === 200 ? readAccount(report.body) : null) ?? { kind: 'untold' };
}

function readAccount(body: string): CarrierStanding | null {
  let account: unknown;
  try {
    account = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof account !== 'object' || account === null || !('cash_credits' in account)) return null;
  const creditMicroUsd = microUsdOf(account.cash_credits);
  if (creditMicroUsd === null) return null;
  // Who is billed afterwards has no credit and needs none.
  const isBilledAfterwards = 'billing_mode' in account && account.billing_mode === 'postpaid';
  return {
    kind: 'told',
    creditMicroUsd: isBilledAfterwards ? null : creditMicroUsd,
    // Sub-accounts have this field; a main account says nothing as long as it is enabled.
    isEnabled: !('enabled' in account && account.enabled === false),
  };
}

/** An amount in USD, as a decimal number in a string or as a number. */
function microUsdOf(amount: unknown): number | null {
  const usd = typeof amount === 'string' && amount.trim() !== '' ? Number(amount) : amount;
  return typeof usd === 'number' && Number.isFinite(usd) ? Math.floor(usd * MICRO) : null;
}
