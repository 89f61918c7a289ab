import type { StatusReason } from '../domain/campaign-status.ts';
import { checkContent } from '../domain/content-check.ts';
import type { Trx } from './database.ts';

/** A reason for which a message's text is refused, with the message. */
export interface RefusedContent extends StatusReason {
  readonly messageId: string;
}

/** What these texts hold of the installation's refused phrases that are in force at `at`, campaign time. */
export async function readRefusedContent(
  trx: Trx,
  messages: readonly { readonly id: string; readonly text: string }[],
  at: number,
): Promise<RefusedContent[]> {
  const phrases = await trx
    .selectFrom('refused_phrases')
    .select(['phrase', 'reason', 'effective_from as effectiveFrom', 'effective_to as effectiveTo'])
    .execute();
  return messages.flatMap((message) =>
    checkContent(message.text, phrases, at).map((refusal) => ({
      code: 'content-refused',
      message: `It contains “${refusal.phrase}”: ${refusal.reason}`,
      messageId: message.id,
    })),
  );
}
