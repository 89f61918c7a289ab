import { noteMemoryFailures, noteMemoryTaken } from '../../domain/dispatch/memory-circuits.ts';
import { memoryInFlight } from '../../domain/dispatch/memory-in-flight.ts';
import { CARRIER_ACCOUNT } from '../../domain/dispatch/memory-ledger.ts';
import { moveMemoryGate, planMemoryMessage } from '../../domain/dispatch/memory-orders.ts';
import { applyMemoryReport } from '../../domain/dispatch/memory-reports.ts';
import { createMemoryDispatchStore } from '../../domain/dispatch/memory-store.ts';
import { describeDispatchStore } from './store-suite/dispatch-store-suite.ts';
import { createMemoryCampaign } from './memory-campaign.ts';

const COST_MICRO_USD = 5_000;
const SCOPES = {
  installation: 'installation',
  account: 'acc',
  campaign: 'cmp',
  message: 'msg',
  sender: 'sender',
};

describeDispatchStore('memory', async (recipients, isConstant) => {
  let passedMs = 0;
  const { ledger, sender, campaign, message, numbers } = createMemoryCampaign({
    recipients,
    isConstant,
    segmentMicroUsd: COST_MICRO_USD,
    machineNow: () => performance.now() + passedMs,
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
    setStatus: (status) =>
      soon(() => {
        message.status = status;
      }),
    lengthen: (recipient) =>
      soon(() => {
        campaign.audience = (campaign.audience ?? []).map((person) =>
          person.recipient === recipient ? { ...person, nameSegments: 2 } : person,
        );
      }),
    plan: (at) => Promise.resolve(planMemoryMessage(ledger, message.id, at)),
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
    setDayCap: (dayUnits) =>
      soon(() => {
        const quota = {
          id: 'quota',
          name: 'Brand',
          rateUnits: null,
          ratePeriod: 'second',
          dayUnits,
          resetZone: 'America/Los_Angeles',
          sharePercent: 100,
        } as const;
        ledger.quotas.set('quota', { quota, use: { day: '', dayHundredths: 0 }, nextFreeAt: 0 });
        sender.quotaIds.push('quota');
      }),
    noteFailures: (failures) =>
      soon(() => noteMemoryFailures(ledger, [CARRIER_ACCOUNT, sender.id], failures)),
    noteTaken: () => soon(() => noteMemoryTaken(ledger, [CARRIER_ACCOUNT, sender.id])),
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
    inFlight: (scope) => Promise.resolve(memoryInFlight(ledger, SCOPES[scope])),
    letPass: (ms) =>
      soon(() => {
        passedMs += ms;
      }),
    textsSpent: async () => Promise.resolve(ledger.spentMicroUsd / COST_MICRO_USD),
  });
});
