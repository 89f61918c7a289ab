import { patched, sleep } from '@temporalio/workflow';
import type { CampaignInput, MessageInput } from '../../../workflows/contract.ts';
import * as first from './first.ts';

export * from './first.ts';

const MOMENT_MS = 1_000;

/** A further change, on top of the first one. */
export async function campaign(input: CampaignInput): ReturnType<typeof first.campaign> {
  if (patched('second-look')) await sleep(MOMENT_MS);
  const ended = await first.campaign(input);
  if (patched('second-farewell')) await sleep(MOMENT_MS);
  return ended;
}

/** The same of a message. */
export async function message(input: MessageInput): ReturnType<typeof first.message> {
  if (patched('second-look')) await sleep(MOMENT_MS);
  return first.message(input);
}
