import { sql } from 'kysely';
import { orderAction } from '../../db/campaign-orders.ts';
import { insertCampaign, lockCampaign } from '../../db/campaigns.ts';
import { type Db, withAccount } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { insertMessage } from '../../db/messages.ts';
import { type CentralTiming, SLICE_PARTS } from '../../domain/central/part-states.ts';
import type { StartMode } from '../../domain/campaign-status.ts';
import { type SeededAccount, seedAccount, type SeedOptions } from './seed.ts';

/** A parent with its sub-accounts and a preset of all their lists. */
export interface SeededParent {
  readonly parent: SeededAccount;
  readonly children: readonly SeededAccount[];
  readonly presetId: string;
}

/** A parent that may send centrally, and a sub-account for each of these. */
export async function seedParent(
  db: Db,
  children: readonly SeedOptions[],
  options: SeedOptions = {},
): Promise<SeededParent> {
  const parent = await seedAccount(db, { ...options, contacts: 0 });
  const { accountId } = parent;
  const seeded: SeededAccount[] = [];
  for (const [index, child] of children.entries()) {
    const account = await seedAccount(db, child);
    await withAccount(db, account.accountId, (trx) =>
      trx
        .updateTable('accounts')
        .set({ parent_id: accountId, name: `Branch ${index + 1}`, sender_name: `Branch ${index + 1}` })
        .where('id', '=', account.accountId)
        .execute(),
    );
    seeded.push(account);
  }
  const presetId = newId('pre');
  await withAccount(db, accountId, async (trx) => {
    await trx
      .updateTable('accounts')
      .set({ central_send_at: new Date() })
      .where('id', '=', accountId)
      .execute();
    await trx
      .insertInto('presets')
      .values({ id: presetId, account_id: accountId, name: 'All branches' })
      .execute();
    await trx
      .insertInto('preset_pairs')
      .values(
        seeded.map((child) => ({
          account_id: accountId,
          preset_id: presetId,
          sub_account_id: child.accountId,
          list_id: child.listId,
        })),
      )
      .execute();
  });
  return { parent, children: seeded, presetId };
}

/** A launched central campaign of the parent; one message for each text given. */
export async function seedCentral(
  db: Db,
  { parent, presetId }: Pick<SeededParent, 'parent' | 'presetId'>,
  options: {
    readonly at: number;
    readonly start: StartMode;
    readonly timing?: CentralTiming;
    readonly messages: readonly {
      readonly text: string;
      /** Media of the parent's. */
      readonly mediaIds?: readonly string[];
      readonly schedule?: { readonly local: string; readonly zone: string };
      readonly expiresAfterMs?: number;
    }[];
  },
): Promise<{ campaignId: string; messageIds: string[] }> {
  const { accountId } = parent;
  return withAccount(db, accountId, async (trx) => {
    const campaignId = await insertCampaign(trx, {
      accountId,
      kind: 'central',
      createdBy: parent.personId,
      name: `Central ${newId('cmp')}`,
      ownerId: parent.personId,
      purpose: 'marketing',
      acknowledgedBy: parent.personId,
      presetId,
      ...(options.timing === undefined ? {} : { timing: options.timing }),
    });
    const messageIds: string[] = [];
    for (const message of options.messages) {
      messageIds.push(await insertMessage(trx, accountId, campaignId, message));
    }
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The campaign was not made.');
    const ordered = await orderAction(trx, {
      campaign,
      name: 'launch',
      args: { start: options.start },
      actor: parent.actor,
      at: options.at,
    });
    if (ordered.kind === 'refused') throw new Error(ordered.reason);
    return { campaignId, messageIds };
  });
}

/** Puts each part of a central campaign into a slice of its own, as if two hundred others were with it. */
export async function spread(db: Db, accountId: string, campaignId: string): Promise<void> {
  await withAccount(db, accountId, async (trx) => {
    for (const table of ['central_parts', 'central_part_lists'] as const) {
      await trx
        .updateTable(table)
        .set({ number: sql<number>`number * ${SLICE_PARTS}` })
        .where('central_id', '=', campaignId)
        .execute();
    }
  });
}
