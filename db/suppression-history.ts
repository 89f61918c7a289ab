import type { SuppressionKind, SuppressionSource } from '../domain/suppression.ts';
import type { Trx } from './database.ts';

/** A suppression that came or went. */
export interface SuppressionChange {
  readonly key: number;
  readonly what: 'added' | 'removed';
  readonly kind: SuppressionKind;
  readonly senderId: string | null;
  readonly source: SuppressionSource;
  readonly reason: string | null;
  readonly importId: string | null;
  readonly who: string;
  readonly via: string;
  readonly at: Date;
}

/** What became of a number's suppressions, the oldest first. */
export async function listSuppressionHistory(
  trx: Trx,
  query: {
    readonly accountId: string;
    readonly numberHash: Buffer;
    readonly afterKey: number;
    readonly limit: number;
  },
): Promise<SuppressionChange[]> {
  return trx
    .selectFrom('suppression_history')
    .where('account_id', '=', query.accountId)
    .where('number_hash', '=', query.numberHash)
    .where('id', '>', query.afterKey)
    .select([
      'id as key',
      'what',
      'kind',
      'sender_id as senderId',
      'source',
      'reason',
      'import_id as importId',
      'who',
      'via',
      'at',
    ])
    .orderBy('id')
    .limit(query.limit)
    .execute();
}
