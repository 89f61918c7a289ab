import { readStepMessages, resolveDueTimes } from '../campaign-step/step-messages.ts';
import type { Trx } from '../database.ts';
import { listMessages, type Message } from '../messages.ts';

/**
 * No order reaches a part while it is rejected. Before it goes on it follows what was ordered of the whole meanwhile: its
 * drafts at the places of skipped messages are cancelled, the others have the whole's times.
 */
export async function followWhole(
  trx: Trx,
  partId: string,
  whole: readonly Message[],
  at: number,
): Promise<void> {
  const drafts = (await listMessages(trx, partId)).filter(({ status }) => status === 'draft');
  for (const draft of drafts) {
    const message = whole.find(({ position }) => position === draft.position);
    const changes = message === undefined ? null : changesOf(draft, message, at);
    if (changes === null) continue;
    await trx
      .updateTable('messages')
      .set((set) => ({ ...changes, version: set('version', '+', 1) }))
      .where('id', '=', draft.id)
      .execute();
  }
  const messages = await readStepMessages(trx, partId);
  // They are about to be scheduled, and whoever goes on with them asks first about those that are overdue.
  const awaited = messages.map((one) =>
    one.status === 'draft' ? { ...one, status: 'scheduled' as const } : one,
  );
  await resolveDueTimes(trx, awaited, at, true);
}

function changesOf(draft: Message, whole: Message, at: number) {
  if (whole.skippedAt !== null || whole.status === 'cancelled') {
    return { status: 'cancelled' as const, ended_at: new Date(at) };
  }
  const { scheduleLocal, scheduleZone } = whole;
  const isMoved = scheduleLocal !== draft.scheduleLocal || scheduleZone !== draft.scheduleZone;
  // A message that the whole was told to send has no time of its own, and is overdue here by the one it had.
  return scheduleLocal !== null && isMoved
    ? { schedule_local: scheduleLocal, schedule_zone: scheduleZone, due_at: null, expires_at: null }
    : null;
}
