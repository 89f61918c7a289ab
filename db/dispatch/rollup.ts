import type { Trx } from '../database.ts';

/** Changes of a message's counters, by counter; written in the transaction of what they count. */
export type Deltas = Map<string, number>;

/** Adds to one counter. */
export function count(deltas: Deltas, counter: string, amount = 1): void {
  deltas.set(counter, (deltas.get(counter) ?? 0) + amount);
}

/** Writes the changes as rows of their own, so that writers never wait for each other. Folding adds them up later. */
export async function writeDeltas(
  trx: Trx,
  accountId: string,
  messageKey: number,
  deltas: Deltas,
): Promise<void> {
  const rows = [...deltas].filter(([, delta]) => delta !== 0);
  if (rows.length === 0) return;
  await trx
    .insertInto('rollup_deltas')
    .values(
      rows.map(([counter, delta]) => ({ account_id: accountId, message_key: messageKey, counter, delta })),
    )
    .execute();
}
