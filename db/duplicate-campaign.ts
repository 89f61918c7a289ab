import type { Actor } from '../domain/actor.ts';
import { copyNames } from '../domain/copy-name.ts';
import { appendLog } from './log.ts';
import { type Campaign, findCampaign, insertCampaign } from './campaigns.ts';
import type { Trx } from './database.ts';
import { insertMessage, listMessages } from './messages.ts';

/** A draft with the same details and messages, without schedules and acknowledgement. */
export async function duplicateCampaign(trx: Trx, campaign: Campaign, actor: Actor): Promise<Campaign> {
  const { accountId } = campaign;
  const id = await insertCampaign(trx, {
    accountId,
    createdBy: actor.id,
    kind: campaign.kind,
    name: campaign.name === null ? null : await freeName(trx, campaign.name),
    senderId: campaign.senderId,
    ownerId: campaign.ownerId,
    purpose: campaign.purpose,
    audienceTiming: campaign.audienceTiming === 'launch' ? 'launch' : 'due',
    listIds: campaign.listIds,
    excludedListIds: campaign.excludedListIds,
    budgetMicroUsd: campaign.budgetMicroUsd,
    ...(campaign.timing === null ? {} : { presetId: campaign.presetId, timing: campaign.timing }),
  });
  for (const message of await listMessages(trx, campaign.id)) {
    const { text, mediaIds, expiresAfterMs, usePrefix, useSuffix } = message;
    await insertMessage(trx, accountId, id, { text, mediaIds, expiresAfterMs, usePrefix, useSuffix });
  }
  await appendLog(trx, { accountId, campaignId: id, what: 'duplicate', actor, detail: { of: campaign.id } });
  const copy = await findCampaign(trx, id);
  if (copy === null) throw new Error('The copy is not there.');
  return copy;
}

async function freeName(trx: Trx, name: string): Promise<string> {
  for (const candidate of copyNames(name)) {
    const taken = await trx
      .selectFrom('campaigns')
      .where('deleted_at', 'is', null)
      .where('central_id', 'is', null)
      .where((where) =>
        where(where.fn<string>('lower', ['name']), '=', where.fn<string>('lower', [where.val(candidate)])),
      )
      .select('id')
      .executeTakeFirst();
    if (taken === undefined) return candidate;
  }
  throw new Error('Every name for a copy is taken.');
}
