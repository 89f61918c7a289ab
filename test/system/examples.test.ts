import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../dev/demo/api-client.ts';
import { temporaryFolder } from '../dev/temporary-folder.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RECIPIENTS = 20;

let world: SystemWorld;
let key: string;
let campaignId = '';
beforeAll(async () => {
  world = await startSystemWorld({});
  const { urls, firstKeys } = world.system.current();
  const headers = { 'carillon-account': world.accountId };
  const operator = createApiClient(urls.api, firstKeys?.operatorKey ?? '', headers);
  const scopes = ['read', 'write', 'send', 'reports'];
  ({ key } = await operator.post<{ key: string }>('/v1/keys', { name: 'Examples', scopes }));
});
afterAll(async () => {
  await world.stop();
});

/** Runs a program of `examples/` as README says, and resolves with what it printed. */
async function runExample(name: string, ...args: string[]): Promise<string> {
  const { urls } = world.system.current();
  const env = { ...process.env, CARILLON_URL: urls.api, CARILLON_KEY: key };
  const path = join('examples', name);
  const { stdout } = await run(process.execPath, ['--import', 'tsx', path, ...args], { cwd: ROOT, env });
  return stdout;
}

describe('the examples, run as programs against a whole system', () => {
  it('import, review, launch and report a campaign', async () => {
    const file = join(await temporaryFolder(), 'contacts.csv');
    const rows = numbers(RECIPIENTS).map((number, index) => `Name${index},${number}`);
    await writeFile(file, ['First Name,Mobile', ...rows, 'Nobody,12'].join('\n'));
    const printed = await runExample('create-and-launch.ts', file);
    expect(printed).toContain(`Imported ${RECIPIENTS} contacts; 1 rows were refused.`);
    expect(printed).toMatch(new RegExp(`^It would text ${RECIPIENTS} people in \\d+ segments`, 'm'));
    expect(printed).toContain(`Finished: ${RECIPIENTS} accepted, 0 unknown.`);
    expect(await world.ledger()).toHaveLength(RECIPIENTS);
    campaignId = printed.trim().split('\n').at(-1) ?? '';
  });

  it('watch a campaign live until it rests', async () => {
    const listId = await world.list('Watched', numbers(RECIPIENTS, '212'));
    const watched = await world.draft('Watched', listId, ['The same for everybody']);
    await world.api.post(`/v1/campaigns/${watched.id}/launch`, { start: 'now' });
    await world.api.post(`/v1/campaigns/${watched.id}/pause`, {});
    const watching = runExample('watch-live.ts', watched.id);
    await world.api.post(`/v1/campaigns/${watched.id}/resume`, {});
    expect((await watching).trim().split('\n').at(-1)).toBe('It is finished.');
  });

  it('export who was texted and what became of each', async () => {
    const file = join(await temporaryFolder(), 'recipients.ndjson');
    expect(await runExample('export.ts', campaignId, file)).toContain(`Wrote ${RECIPIENTS} rows.`);
    const rows = (await readFile(file, 'utf8')).trim().split('\n');
    const written = rows.map((row) => (JSON.parse(row) as { number: string }).number);
    expect(written.toSorted()).toEqual(numbers(RECIPIENTS).toSorted());
  });
});
