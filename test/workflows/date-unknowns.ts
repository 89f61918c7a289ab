import { sql } from 'kysely';
import type { CampaignUnderTest, WorkflowWorld } from './workflow-world.ts';

/** What was posted and chosen by the machine's clock is moved by as much as the workflows' is ahead of it. */
export async function dateUnknowns(
  world: WorkflowWorld,
  campaign: CampaignUnderTest,
  isChoice = true,
): Promise<void> {
  const aheadMs = (await world.now()) - Date.now();
  const ahead = sql`${aheadMs} * interval '1 millisecond'`;
  await campaign.inside(async (trx) => {
    await sql`update unknowns set posted_since = posted_since + ${ahead}, posted_until = posted_until + ${ahead},
      next_ask_at = next_ask_at + ${ahead} where posted_until < clock_timestamp() + interval '1 minute'`.execute(
      trx,
    );
    await sql`update leases set opened_at = opened_at + ${ahead}
      where opened_at < clock_timestamp() + interval '1 minute'`.execute(trx);
    if (isChoice) {
      await sql`update accounts set resend_absent_since = resend_absent_since + ${ahead}`.execute(trx);
    }
  });
}
