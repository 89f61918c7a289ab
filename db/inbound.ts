import { sql } from 'kysely';
import { classifyInbound } from '../domain/opt-out.ts';
import type { SenderType } from '../domain/sender.ts';
import { type Db, withAccount } from './database.ts';
import { isSuppressedAs, liftOptOut, suppress } from './suppressions.ts';

/** A text that a person sent to one of our senders. */
export interface InboundMessage {
  readonly carrierAccountId: string;
  readonly uuid: string;
  /** E.164. */
  readonly from: string;
  /** The sender's address. */
  readonly to: string;
  readonly text: string;
  readonly numberHash: Buffer;
}

/** What an inbound text was taken for; `unknown_sender` belongs to nobody here. */
export type InboundMeaning = 'stop' | 'start' | 'help' | 'reply' | 'repeated' | 'unknown_sender';

/**
 * Takes an inbound text: STOP suppresses at once, START lifts the opt-out, everything else is kept as a reply.
 * When this resolves it is durable, and no text to that number starts any more.
 */
export async function receiveInbound(db: Db, message: InboundMessage): Promise<InboundMeaning> {
  const found = await sql<{ id: string; account_id: string; type: SenderType }>`
    select id, account_id, type from find_sender(${message.carrierAccountId}, ${message.to})`.execute(db);
  const sender = found.rows[0];
  if (sender === undefined) return 'unknown_sender';
  const accountId = sender.account_id;
  return withAccount(db, accountId, async (trx) => {
    const meaning = classifyInbound(
      message.text,
      sender.type,
      await isSuppressedAs(trx, 'opt_out', accountId, message.numberHash),
    ).kind;
    // Somebody who asked to be forgotten is not remembered again because he writes: his words still count.
    const isErased = await isSuppressedAs(trx, 'erased', accountId, message.numberHash);
    const kept = await trx
      .insertInto('inbound_messages')
      .values({
        carrier_uuid: message.uuid,
        account_id: accountId,
        sender_id: sender.id,
        number_hash: message.numberHash,
        number: isErased ? null : message.from,
        text: isErased ? null : message.text,
        meaning,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('carrier_uuid')
      .executeTakeFirst();
    // The carrier repeats what it got no answer to; an old STOP that comes again must not undo a START since.
    if (kept === undefined) return 'repeated';
    if (meaning === 'stop') {
      await suppress(trx, {
        accountId,
        numberHash: message.numberHash,
        number: isErased ? null : message.from,
        kind: 'opt_out',
        senderId: null,
        source: 'inbound',
        actor: { id: 'system', via: 'system' },
      });
    } else if (meaning === 'start') {
      await liftOptOut(trx, accountId, message.numberHash);
    }
    return meaning;
  });
}
