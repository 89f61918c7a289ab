import {
  addCampaign,
  addMessage,
  addSender,
  createMemoryLedger,
  freezeMemoryAudience,
} from '../../domain/dispatch/memory-ledger.ts';

/** Makes a ledger in memory with a frozen campaign of one message; recipient n has the n-th of the numbers. */
export function createMemoryCampaign(options: {
  readonly recipients: number;
  readonly segmentMicroUsd: number;
  readonly machineNow: () => number;
  readonly isConstant?: boolean;
  /** Segments a second. */
  readonly pace?: number | null;
}) {
  const { recipients, segmentMicroUsd, machineNow, isConstant = false, pace = null } = options;
  const ledger = createMemoryLedger({
    accountId: 'acc',
    timeZone: 'America/New_York',
    quietHours: { start: '20:00', end: '08:00' },
    spendLimitMicroUsd: null,
    segmentMicroUsd,
    limit: { requestsMax: 0, windowMs: 0 },
    machineNow,
  });
  const sender = addSender(ledger, 'sender', pace);
  const numbers = Array.from(
    { length: recipients },
    (_, index) => `+1415555${String(index + 1).padStart(4, '0')}`,
  );
  const contacts = numbers.map((number, index) => ({ number, name: `N${index + 1}` }));
  const campaign = addCampaign(ledger, { id: 'cmp', senderId: 'sender', contacts });
  const message = addMessage(ledger, {
    id: 'msg',
    campaignId: 'cmp',
    isConstant,
    segments: 1,
    expiresAt: null,
    expiresAfterMs: null,
  });
  freezeMemoryAudience(ledger, 'cmp');
  return { ledger, sender, campaign, message, numbers };
}
