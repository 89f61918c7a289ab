import { patched, sleep } from '@temporalio/workflow';
import type { CampaignInput, MessageInput } from '../../../workflows/contract.ts';
import * as shipped from '../../../workflows/index.ts';

export * from '../../../workflows/index.ts';

const MOMENT_MS = 1_000;

/** As it is shipped, with a timer before and one after that campaigns of an earlier code have not begun with. */
export async function campaign(input: CampaignInput): ReturnType<typeof shipped.campaign> {
  if (patched('first-look')) await sleep(MOMENT_MS);
  const ended = await shipped.campaign(input);
  if (patched('first-farewell')) await sleep(MOMENT_MS);
  return ended;
}

/** The same of a message. */
export async function message(input: MessageInput): ReturnType<typeof shipped.message> {
  if (patched('first-look')) await sleep(MOMENT_MS);
  const ended = await shipped.message(input);
  if (patched('first-farewell')) await sleep(MOMENT_MS);
  return ended;
}
