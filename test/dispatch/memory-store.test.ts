import { createMemoryDispatchStore, type MemoryWorld } from '../../domain/dispatch/memory-store.ts';
import { describeDispatchStore } from './dispatch-store-suite.ts';

const COST_MICRO_USD = 5_000;

describeDispatchStore('memory', (recipients) => {
  const world: MemoryWorld = {
    accountId: 'acc',
    campaignId: 'cmp',
    messageId: 'msg',
    recipients: Array.from({ length: recipients }, (_, index) => ({
      recipient: index + 1,
      number: String(index + 1),
      text: `Text ${index + 1}`,
    })),
    timeZone: 'America/New_York',
    quietHours: { start: '20:00', end: '08:00' },
    expiresAt: null,
    spendLimitMicroUsd: null,
    budgetMicroUsd: null,
    costMicroUsd: COST_MICRO_USD,
    closedGates: new Set(),
    suppressedNumbers: new Set(),
    senderIsDisabled: false,
    machineNow: () => performance.now(),
  };
  const store = createMemoryDispatchStore(world);
  const idOf = {
    installation: 'installation',
    account: 'acc',
    campaign: 'cmp',
    message: 'msg',
    sender: 'sender',
  };
  return Promise.resolve({
    store,
    lane: (lane) => ({ accountId: 'acc', campaignId: 'cmp', messageId: 'msg', lane }),
    noon: Date.parse('2026-03-03T12:00:00-05:00'),
    closeGate: async (scope) => {
      world.closedGates.add(idOf[scope]);
      await Promise.resolve();
    },
    openGate: async (scope) => {
      world.closedGates.delete(idOf[scope]);
      await Promise.resolve();
    },
    suppress: async (recipient) => {
      world.suppressedNumbers.add(String(recipient));
      await Promise.resolve();
    },
    setExpiry: async (at) => {
      world.expiresAt = at;
      await Promise.resolve();
    },
    setSpendLimit: async (texts) => {
      world.spendLimitMicroUsd = texts * COST_MICRO_USD;
      await Promise.resolve();
    },
    setBudget: async (texts) => {
      world.budgetMicroUsd = texts === null ? null : texts * COST_MICRO_USD;
      await Promise.resolve();
    },
    disableSender: async () => {
      world.senderIsDisabled = true;
      await Promise.resolve();
    },
    resultOf: async (recipient, attempt) => {
      const entry = store.entries.get(recipient);
      const result = entry?.attempts.find((one) => one.attempt === attempt)?.result ?? null;
      return Promise.resolve(result === 'unknown' && entry?.resolved === true ? 'accepted' : result);
    },
    skipOf: async (recipient) => Promise.resolve(store.entries.get(recipient)?.skip ?? null),
    textsSpent: async () => Promise.resolve(store.spentMicroUsd() / COST_MICRO_USD),
  });
});
