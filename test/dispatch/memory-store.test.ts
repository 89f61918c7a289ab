import {
  addCampaign,
  addMessage,
  addSender,
  createMemoryLedger,
  freezeMemoryAudience,
} from '../../domain/dispatch/memory-ledger.ts';
import { moveMemoryGate } from '../../domain/dispatch/memory-orders.ts';
import { applyMemoryReport } from '../../domain/dispatch/memory-reports.ts';
import { createMemoryDispatchStore } from '../../domain/dispatch/memory-store.ts';
import { describeDispatchStore } from './dispatch-store-suite.ts';

const COST_MICRO_USD = 5_000;
const SCOPES = {
  installation: 'installation',
  account: 'acc',
  campaign: 'cmp',
  message: 'msg',
  sender: 'sender',
};

describeDispatchStore('memory', async (recipients) => {
  const ledger = createMemoryLedger({
    accountId: 'acc',
    timeZone: 'America/New_York',
    quietHours: { start: '20:00', end: '08:00' },
    spendLimitMicroUsd: null,
    segmentMicroUsd: COST_MICRO_USD,
    limit: { requestsMax: 0, windowMs: 0 },
    machineNow: () => performance.now(),
  });
  const sender = addSender(ledger, 'sender', null);
  const contacts = Array.from({ length: recipients }, (_, index) => ({
    number: String(index + 1),
    name: `N${index + 1}`,
  }));
  const campaign = addCampaign(ledger, { id: 'cmp', senderId: 'sender', contacts });
  const message = addMessage(ledger, {
    id: 'msg',
    campaignId: 'cmp',
    isConstant: false,
    segments: 1,
    expiresAt: null,
  });
  freezeMemoryAudience(ledger, 'cmp');
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
    suppress: (recipient) => soon(() => ledger.suppressed.set(String(recipient), 'opt_out')),
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
          to: String(recipient),
          uuid,
          status,
          errorCode: null,
        }),
      ),
    skipOf: async (recipient) => Promise.resolve(message.entries.get(recipient)?.skip ?? null),
    textsSpent: async () => Promise.resolve(ledger.spentMicroUsd / COST_MICRO_USD),
  });
});
