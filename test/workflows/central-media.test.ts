import { expect, it } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { launchCentral, settle } from './central-world.ts';
import { useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();

it('the pictures of a central campaign go out with the texts of every sub-account, in their order', async () => {
  await strike(10);
  const pictures = ['menu', 'map'].map((token) => ({ id: newId('med'), token }));
  // Ids sort by when they were made, so what is turned round is in no order that it would have by chance.
  const mediaIds = pictures.map(({ id }) => id).toReversed();
  const sent: { readonly text: string; readonly mediaUrls: readonly string[] }[] = [];
  world().answer = ({ text, mediaUrls }) => {
    sent.push({ text, mediaUrls });
    return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
  };
  const central = await launchCentral(
    world(),
    [{ contacts: 1 }, { contacts: 1 }],
    { start: 'now', messages: [{ text: 'Menu of {{account.senderName}}', mediaIds }, { text: 'Plain' }] },
    ({ parent: { accountId } }) =>
      withAccount(world().db, accountId, (trx) =>
        trx
          .insertInto('media')
          .values(
            pictures.map((picture) => ({
              ...picture,
              account_id: accountId,
              content_type: 'image/png',
              bytes: 1,
            })),
          )
          .execute(),
      ),
  );
  await settle(world(), central);
  const mediaUrls = ['http://127.0.0.1/media/map', 'http://127.0.0.1/media/menu'];
  expect(sent.toSorted((a, b) => (a.text < b.text ? -1 : 1))).toEqual([
    { text: 'Menu of Branch 1', mediaUrls },
    { text: 'Menu of Branch 2', mediaUrls },
    { text: 'Plain', mediaUrls: [] },
    { text: 'Plain', mediaUrls: [] },
  ]);
});
