import { afterAll, beforeAll } from 'vitest';
import { describeDrafting } from './central-send/drafting.ts';
import { type Franchise, openFranchise } from './central-send/franchise.ts';
import { describeReporting } from './central-send/reporting.ts';
import { describeSending } from './central-send/sending.ts';
import { describeTroubles } from './central-send/troubles.ts';

// Each sentence of the article about Central Send has a test that is named after it; all share one system, and what
// spoils a sub-account for good comes last.
let franchise: Franchise;
beforeAll(async () => {
  franchise = await openFranchise();
});
afterAll(async () => {
  await franchise.world.stop();
});

describeDrafting(() => franchise);
describeSending(() => franchise);
describeReporting(() => franchise);
describeTroubles(() => franchise);
