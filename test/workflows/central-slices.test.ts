import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { SLICE_PARTS } from '../../domain/central/part-states.ts';
import { seedCentral, seedParent } from '../support/seed-central.ts';
import { useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
/** More than hand over at a time. */
const SLICES = 6;

describe('a central campaign of many slices', () => {
  it('hands all of them over without waiting for the parts of the first to be over', async () => {
    await strike(10);
    const seeded = await seedParent(
      world().db,
      Array.from({ length: SLICES }, () => ({ contacts: 1 })),
    );
    const { accountId } = seeded.parent;
    const { campaignId } = await seedCentral(world().db, seeded, {
      at: await world().now(),
      start: 'now',
      messages: [{ text: 'News' }],
    });
    // Each part in a slice of its own.
    await withAccount(world().db, accountId, async (trx) => {
      for (const table of ['central_parts', 'central_part_lists']) {
        await sql`update ${sql.table(table)} set number = number * ${SLICE_PARTS} where central_id = ${campaignId}`.execute(
          trx,
        );
      }
    });
    await world().workflows.wakeCentral(accountId, campaignId);
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(SLICES);
  });
});
