import { readdirSync, readFileSync } from 'node:fs';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';

const FOLDER = new URL('../histories/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: new URL('../../workflows/index.ts', import.meta.url).pathname,
    logger: new DefaultLogger('ERROR'),
  });
});

describe('a campaign that sleeps while its code is deployed anew', () => {
  it.each(FILES)('replays as it was recorded: %s', async (file) => {
    const history: unknown = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
  });

  it('has histories of every shape to replay', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(40);
  });
});
