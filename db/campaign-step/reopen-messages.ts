import { appendLog } from '../log.ts';
import type { Trx } from '../database.ts';
import { collectRetries, messagesWithRetries } from '../retries.ts';
import type { StepInput } from './step-plan.ts';
import type { StepMessage } from './step-messages.ts';

/**
 * A message that was over goes on when somebody of it is tried again by itself: the carrier's last words come after its
 * last text. Resolves with all messages as they stand then.
 */
export async function reopenForRetries(
  trx: Trx,
  input: StepInput,
  messages: readonly StepMessage[],
): Promise<readonly StepMessage[]> {
  if (messages.every(({ status }) => status !== 'sent')) return messages;
  const noted = await messagesWithRetries(trx, input.campaignId);
  const after: StepMessage[] = [];
  for (const message of messages) {
    const isOver = message.status === 'sent' && noted.has(message.key);
    after.push(isOver && (await reopen(trx, input, message)) ? goingOn(message) : message);
  }
  return after;
}

async function reopen(trx: Trx, input: StepInput, message: StepMessage): Promise<boolean> {
  const { accountId, campaignId } = input;
  const { key: messageKey, expiresAt } = message;
  const recipients = await collectRetries(trx, { accountId, messageKey, expiresAt }, input.at);
  if (recipients === 0) return false;
  await trx
    .updateTable('messages')
    .set((set) => ({ status: 'sending' as const, ended_at: null, version: set('version', '+', 1) }))
    .where('id', '=', message.id)
    .execute();
  await appendLog(trx, {
    accountId,
    campaignId,
    subject: { kind: 'message', id: message.id },
    what: 'retry',
    from: 'sent',
    to: 'sending',
    actor: { id: 'system', via: 'system' },
    detail: { recipients },
  });
  return true;
}

function goingOn(message: StepMessage): StepMessage {
  return { ...message, status: 'sending', endedAt: null, isOver: false };
}
