import { moveMemoryGate } from '../../domain/dispatch/memory-orders.ts';
import { applyMemoryReport } from '../../domain/dispatch/memory-reports.ts';
import { createMemoryDispatchStore } from '../../domain/dispatch/memory-store.ts';
import { describeDispatchStore } from './dispatch-store-suite.ts';
import { createMemoryCampaign } from './memory-campaign.ts';

const COST_MICRO_USD = 5_000;
const SCOPES = {
  installation: 'installation',
  account: 'acc',
  campaign: 'cmp',
  message: 'msg',
  sender: 'sender',
};

describeDispatchStore('memory', async (recipients) => {
  const { ledger, sender, campaign, message, numbers } = createMemoryCampaign({
    recipients,
    segmentMicroUsd: COST_MICRO_USD,
    machineNow: () => performance.now(),
  });
  const numberOf = (recipient: number): string => numbers[recipient - 1] ?? '';
  const soon = async (change: () => void): Promise<void> => {
    change();
    await Promise.resolve();
  };
  return Promise.resolve({
    store: createMemoryDispatchStore(ledger),
    lane: (lane) => ({ accountId: 'acc', campaignId: 'cmp', messageId: 'msg', lane }),
    noon: Date.parse('2026-03-03T12:00:00-05:00'),
    closeGate: (scope) => soon(() => moveMemoryGate(ledger, SCOPES[scope], 1)),
    openGate: (scope) => soon(() => moveMemoryGate(ledger, SCOPES[scope], -1)),
    suppress: (recipient) => soon(() => ledger.suppressed.set(numberOf(recipient), 'opt_out')),
    setExpiry: (at) =>
      soon(() => {
        message.expiresAt = at;
      }),
    setSpendLimit: (texts) =>
      soon(() => {
        ledger.spendLimitMicroUsd = texts * COST_MICRO_USD;
      }),
    setBudget: (texts) =>
      soon(() => {
        campaign.budgetMicroUsd = texts === null ? null : texts * COST_MICRO_USD;
      }),
    disableSender: () =>
      soon(() => {
        sender.isDisabled = true;
      }),
    resultOf: async (recipient, attempt) => {
      const known = message.entries.get(recipient)?.attempts.find((one) => one.attempt === attempt);
      return Promise.resolve(known?.resolved ? 'accepted' : (known?.result ?? null));
    },
    report: (lease, recipient, status, uuid = `uuid-${recipient}`) =>
      Promise.resolve(
        applyMemoryReport(ledger, {
          leaseId: lease.id,
          to: numberOf(recipient),
          uuid,
          status,
          errorCode: null,
        }),
      ),
    skipOf: async (recipient) => Promise.resolve(message.entries.get(recipient)?.skip ?? null),
    textsSpent: async () => Promise.resolve(ledger.spentMicroUsd / COST_MICRO_USD),
  });
});
