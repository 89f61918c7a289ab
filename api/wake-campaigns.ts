import type { ApiDeps } from './deps.ts';

/**
 * Has campaigns look again at what has changed around them. Nobody waits for it: whoever is not reached now sees the
 * change at his next lease, freeze or waking, within a day.
 */
export function wakeCampaigns(
  { workflows }: Pick<ApiDeps, 'workflows'>,
  accountId: string,
  campaignIds: readonly string[],
): void {
  for (const campaignId of campaignIds) workflows.wakeCampaign(accountId, campaignId).catch(() => undefined);
}
