import { costMicroUsd } from '../domain/rates.ts';
import type { ChaosAccount, ChaosCampaign } from './account.ts';
import type { LedgerLine } from './carrier-ledger.ts';
import { waitThroughChaos } from './wait-through-chaos.ts';

/** What a campaign had cost when its budget kept it from going on. */
export interface BudgetRecord {
  readonly budgetMicroUsd: number;
  /** As the campaign says. */
  readonly spentMicroUsd: number;
  /** By the carrier's ledger, at what each text costs: those that did not fail. */
  readonly takenMicroUsd: number;
  /** Not even one more text of the dearest would have been within it. */
  readonly hasBound: boolean;
}

/** A name with which a personal text has a second segment; every third has one. */
const LONG_NAME = 'Maximiliane Wilhelmina Theodora of the House beside the Old Harbour';
const LONG_EVERY = 3;
/** Personal, and one segment with a short name. */
export const PERSONAL_TEXT = `Hi {{firstName}}, ${'come in and try our fresh bread. '.repeat(3)}`.trim();

/** The name of a list's contact at this index. */
export function nameOf(index: number): string {
  return index % LONG_EVERY === 1 ? `${LONG_NAME} ${index}` : `Name${index}`;
}

/** What the personal text to a list's contact at this index costs. */
export function personalCostOf(index: number): number {
  const segments = index % LONG_EVERY === 1 ? 2 : 1;
  return costMicroUsd({ country: 'US', senderType: 'short_code', kind: 'sms', segments, at: Date.now() });
}

/** What the texts of a ledger cost that went to these numbers, in the order of a list, and did not fail. */
export function takenOf(numbers: readonly string[], ledger: readonly LedgerLine[]): number {
  const costs = new Map(numbers.map((number, index) => [number, personalCostOf(index)]));
  return ledger
    .filter((line) => line.final !== 'failed')
    .reduce((sum, { dst }) => sum + (costs.get(dst) ?? 0), 0);
}

/**
 * Waits until a campaign's budget keeps it from going on, or nobody is left; whatever else has suspended it is over and
 * is resumed from. Then takes its budget away, so that it goes on to its end.
 */
export async function liftBudget(
  account: ChaosAccount,
  campaign: { readonly id: string; readonly budgetMicroUsd: number; readonly numbers: readonly string[] },
  readLedger: () => Promise<readonly LedgerLine[]>,
  patienceMs: number,
): Promise<BudgetRecord> {
  const { id, budgetMicroUsd, numbers } = campaign;
  const dearest = personalCostOf(1);
  const isUsedUp = ({ spent }: ChaosCampaign): boolean => budgetMicroUsd - spent.amountMicro < dearest;
  const rests = ({ report }: ChaosCampaign): boolean =>
    report.waiting + report.deferred + report.inFlight === 0;
  const seen = await waitThroughChaos(
    async () => {
      const now = await account.campaign(id);
      if (now.status === 'suspended' && !isUsedUp(now)) {
        await account.api.post(`/v1/campaigns/${id}/resume`, {}).catch(() => undefined);
      }
      return now;
    },
    (now) => rests(now) || (now.status === 'suspended' && now.report.inFlight === 0 && isUsedUp(now)),
    patienceMs,
  );
  const takenMicroUsd = takenOf(numbers, await readLedger());
  await account.api.patch(`/v1/campaigns/${id}`, { budget: null });
  return {
    budgetMicroUsd,
    spentMicroUsd: seen.spent.amountMicro,
    takenMicroUsd,
    hasBound: seen.status === 'suspended',
  };
}
