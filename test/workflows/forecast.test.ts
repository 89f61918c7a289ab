import { expect, it } from 'vitest';
import { at, useWorkflowWorld } from './use-workflow-world.ts';
import { launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

it('a campaign whose audience is frozen alerts of a message that does not fit before its night, until it is stopped', async () => {
  const evening = await strike(19);
  const campaign = await launchCampaign(
    world(),
    { contacts: 200, segmentsPerSecond: 1 },
    { start: 'scheduled', messages: [{ text: 'Hi {{firstName}}', schedule: at(evening + 59 * MINUTE_MS) }] },
  );
  const open = () =>
    campaign.inside((trx) =>
      trx
        .selectFrom('alerts')
        .where('kind', '=', 'forecast')
        .where('resolved_at', 'is', null)
        .select(['cause', 'subject_id as subject'])
        .execute(),
    );
  await world().pass(30 * MINUTE_MS);
  expect(await open()).toEqual([]);
  await world().pass(20 * MINUTE_MS);
  expect(await open()).toEqual([{ cause: 'forecast_rolls_over', subject: campaign.messageIds[0] }]);
  await campaign.order('stop');
  expect(await open()).toEqual([]);
});
