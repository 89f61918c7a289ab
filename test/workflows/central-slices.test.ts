import { expect, it } from 'vitest';
import { sql } from 'kysely';
import { withAccount } from '../../db/database.ts';
import { SLICE_PARTS } from '../../domain/central/part-states.ts';
import type { SeededParent } from '../support/seed-central.ts';
import { launchCentral } from './central-world.ts';
import { useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

/** Puts each part of a central campaign into a slice of its own, as if two hundred others were with it. */
async function spread(campaignId: string, { parent }: SeededParent): Promise<void> {
  await withAccount(world().db, parent.accountId, async (trx) => {
    for (const table of ['central_parts', 'central_part_lists'] as const) {
      await trx
        .updateTable(table)
        .set({ number: sql<number>`number * ${SLICE_PARTS}` })
        .where('central_id', '=', campaignId)
        .execute();
    }
  });
}

it('slices whose accounts wait for their hours keep no other slice from being handed over', async () => {
  await strike(10);
  // It is midnight in Tokyo then.
  const asleep = Array.from({ length: 5 }, () => ({ contacts: 1, timeZone: 'Asia/Tokyo' }));
  await launchCentral(
    world(),
    [...asleep, { contacts: 1 }, { contacts: 1 }],
    { start: 'now', messages: [{ text: 'News of {{account.senderName}}, reply STOP to opt out.' }] },
    undefined,
    { beforeRun: spread },
  );
  await world().pass(MINUTE_MS);
  const branches = world().texts.map(({ text }) => text.slice(0, 'News of Branch 1'.length));
  expect(branches.toSorted()).toEqual(['News of Branch 6', 'News of Branch 7']);
});
