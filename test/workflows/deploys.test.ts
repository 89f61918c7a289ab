import { readdirSync, readFileSync } from 'node:fs';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { numberOf } from '../support/seed.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const CONTACTS = 3;
const MINUTE_MS = 60_000;
const HISTORIES = new URL('../histories/', import.meta.url);

const { world, strike } = useWorkflowWorld({ keepsWorkflows: false });
let shipped: WorkflowBundleWithSourceMap;
let first: WorkflowBundleWithSourceMap;
let second: WorkflowBundleWithSourceMap;
let unpatched: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  shipped = await bundleOf('../../workflows/index.ts');
  first = await bundleOf('./deploys/first.ts');
  second = await bundleOf('./deploys/second.ts');
  unpatched = await bundleOf('./deploys/unpatched.ts');
});

function bundleOf(path: string): Promise<WorkflowBundleWithSourceMap> {
  const workflowsPath = new URL(path, import.meta.url).pathname;
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

/** A campaign that sends these texts, each at its instant. */
function asleep(schedules: Readonly<Record<string, number>>): Promise<CampaignUnderTest> {
  const messages = Object.entries(schedules).map(([text, dueAt]) => ({ text, schedule: at(dueAt) }));
  return launchCampaign(world(), { contacts: CONTACTS }, { start: 'scheduled', messages });
}

/** Whether everybody has been sent this text exactly once, and not before its time. */
function expectSentOnce(text: string, dueAt: number): void {
  const sent = world().texts.filter((one) => one.text.includes(text));
  const everybody = Array.from({ length: CONTACTS }, (_, index) => numberOf(index));
  expect(sent.map(({ to }) => to).toSorted(), text).toEqual(everybody);
  // A schedule is as exact as a second.
  for (const one of sent) expect(one.at, text).toBeGreaterThan(dueAt - 1_000);
}

/** The names of the changes that this campaign has gone through. */
async function changesOf(campaign: CampaignUnderTest, position?: number): Promise<string[]> {
  const { events = [] } = await world().history(campaign.campaignId, position);
  return (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
    const [patch] =
      marker?.markerName === 'core_patch' ? (marker.details?.['patch-data']?.payloads ?? []) : [];
    const data: unknown = patch === undefined ? null : JSON.parse(Buffer.from(patch.data ?? '').toString());
    return typeof data === 'object' && data !== null && 'id' in data ? [String(data.id)] : [];
  });
}

describe('campaigns that sleep while changed workflow code is deployed', () => {
  it('wake, send once and end, through two deploys, and may be steered after each', async () => {
    const now = await strike(8);
    const due = (hours: number): number => now + hours * HOUR_MS;
    const old = await asleep({ 'Old one': due(1), 'Old two': due(3), 'Old three': due(5) });
    const paused = await asleep({ 'Paused one': due(4) });
    expect((await paused.order('pause')).state).not.toBe('refused');
    await world().passUntil(due(2));
    expectSentOnce('Old one', due(1));
    expect(await paused.status()).toBe('paused');

    await world().deploy(first);
    const born = await asleep({ 'Born one': due(3), 'Born two': due(6) });
    expect((await paused.order('resume')).state).not.toBe('refused');
    await world().passUntil(due(4) + 30 * MINUTE_MS);
    expectSentOnce('Old two', due(3));
    expectSentOnce('Paused one', due(4));
    expectSentOnce('Born one', due(3));

    await world().deploy(second);
    const youngest = await asleep({ 'Youngest one': due(6) });
    await world().passUntil(due(8));
    expectSentOnce('Old three', due(5));
    expectSentOnce('Born two', due(6));
    expectSentOnce('Youngest one', due(6));
    for (const campaign of [old, paused, born, youngest]) expect(await campaign.status()).toBe('finished');
    expect(world().texts).toHaveLength(7 * CONTACTS);

    // What had begun before a change goes past it, and takes what lies ahead.
    expect(await changesOf(old)).toEqual(['first-farewell', 'second-farewell']);
    expect(await changesOf(paused), 'over before the second').toEqual(['first-farewell']);
    expect(await changesOf(born)).toEqual(['first-look', 'first-farewell', 'second-farewell']);
    expect(await changesOf(born, 1)).toEqual(['first-look', 'first-farewell']);
    expect(await changesOf(youngest)).toEqual([
      'second-look',
      'first-look',
      'first-farewell',
      'second-farewell',
    ]);
  });

  it('sleep on under a change without `patched`, and go on once it is mended', async () => {
    await world().deploy(shipped);
    const now = await strike(8);
    const campaign = await asleep({ 'Broken one': now + HOUR_MS, 'Broken two': now + 3 * HOUR_MS });
    await world().passUntil(now + 2 * HOUR_MS);
    expectSentOnce('Broken one', now + HOUR_MS);
    await world().deploy(unpatched);
    // This server lets no time pass while a workflow fails, so that it is woken by an order, which stands meanwhile.
    expect(await campaign.order('pause')).toMatchObject({ state: 'requested' });
    expect(world().texts, 'nothing is sent by code that does not fit').toHaveLength(CONTACTS);
    await world().deploy(first);
    await world().passUntil(now + 2.5 * HOUR_MS);
    expect(await campaign.status()).toBe('paused');
    expect((await campaign.order('resume')).state).not.toBe('refused');
    await world().passUntil(now + 6 * HOUR_MS);
    expectSentOnce('Broken two', now + 3 * HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    expect(world().texts).toHaveLength(2 * CONTACTS);
  });
});

describe('the replay of stored histories', () => {
  const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));
  const replay = (workflowBundle: WorkflowBundleWithSourceMap, file: string): Promise<void> =>
    Worker.runReplayHistory({ workflowBundle }, JSON.parse(readFileSync(new URL(file, HISTORIES), 'utf8')));

  it('is of histories of campaigns', () => {
    expect(files.filter((one) => one.endsWith('.campaign.json'))).not.toEqual([]);
  });

  it('passes a change behind `patched` with a second one on top', async () => {
    for (const file of files) {
      await expect(replay(second, file), file).resolves.toBeUndefined();
    }
  });

  it('finds out the same change without it, in every campaign', async () => {
    for (const file of files.filter((one) => one.endsWith('.campaign.json'))) {
      await expect(replay(unpatched, file), file).rejects.toBeInstanceOf(DeterminismViolationError);
    }
  });
});
