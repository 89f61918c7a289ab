import type { Db } from '../db/database.ts';
import { grantRequests } from '../db/dispatch/grants.ts';
import { pauseCarrierAccount } from '../db/carrier-accounts.ts';
import type { CarrierStanding } from '../domain/carrier-standing.ts';
import type { AtOnce } from '../domain/dispatch/at-once.ts';
import type { MachineClock } from '../domain/dispatch/machine-clock.ts';
import type { Carriers } from './carriers.ts';

/** What asking a carrier about its account needs. */
export interface AskAccountDeps {
  readonly db: Db;
  readonly carriers: Pick<Carriers, 'account'>;
  readonly atOnce: AtOnce;
  readonly machine: MachineClock;
}

/** Whoever resumes waits for the answer, so it is given up on sooner than that of a text. */
const ANSWER_MS_MAX = 5_000;
/** No turn within so long is as good as silence; a step may take 30 s in all. */
const TURN_MS_MAX = 10_000;
const SILENT: CarrierStanding = { kind: 'silent', retryAfterMs: null };

/**
 * Asks the carrier how its account stands, within the limits of requests that all processes share. Holds nothing of the
 * database meanwhile, and never rejects because of the carrier.
 */
export async function askAccount(
  deps: AskAccountDeps,
  carrierAccountId: string,
  signal: AbortSignal,
): Promise<CarrierStanding> {
  const { delayMs } = await deps.db.transaction().execute((trx) => grantRequests(trx, carrierAccountId, 1));
  if (delayMs > TURN_MS_MAX) return SILENT;
  if (delayMs > 0) await deps.machine.sleep(delayMs, signal);
  const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
  if (!(await deps.atOnce.take(carrierAccountId, patience))) return SILENT;
  try {
    const standing = await deps.carriers.account(carrierAccountId, patience);
    if (standing.kind === 'silent' && standing.retryAfterMs !== null) {
      await pauseCarrierAccount(deps.db, carrierAccountId, standing.retryAfterMs);
    }
    return standing;
  } finally {
    deps.atOnce.giveBack(carrierAccountId);
  }
}
