import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { type ImportWorld, openImportWorld } from './import-world.ts';

const PROGRAM = fileURLToPath(new URL('programs/run-import.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let world: ImportWorld;
beforeAll(async () => {
  world = await openImportWorld();
});
afterAll(() => world.close());

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly memoryMb: number;
}

/** Runs an import in a process of its own. */
async function runInProcess(importId: string, crashAt = ''): Promise<Ended> {
  const { url, hashKey, account } = world;
  const args = [url, hashKey.toString('hex'), account.accountId, importId, crashAt];
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('close', (_code, endedBy) => resolve(endedBy));
  });
  if (signal !== null) return { signal, memoryMb: 0 };
  return { signal, memoryMb: (JSON.parse(output) as Ended).memoryMb };
}

async function stored(importId: string) {
  const contacts = (await world.contacts()).length;
  const refusals = (await world.refusals(importId)).length;
  const members = await withAccount(world.db, world.account.accountId, (trx) =>
    trx.selectFrom('list_members').select('contact_id').execute(),
  );
  return { contacts, refusals, members: members.length };
}

/** Three batches: 21,000 numbers, one of them in the first batch and again in the last, and three bad ones. */
function fileOf(prefix: string): string {
  const lines = Array.from({ length: 21_000 }, (_, index) => `${prefix}${String(2_000_000 + index)},Name`);
  return ['number,first name', 'bad,', ...lines, 'bad,', `${prefix}2000000,Last`, 'bad,'].join('\n');
}

describe('a worker that is killed', () => {
  test.each([
    ['import.batch_written:2', '+1212', 'queued or running'],
    ['import.before_commit', '+1415', 'queued or running'],
    ['import.committed', '+1303', 'finished'],
  ] as const)(
    'at %s leaves nothing half-imported, and the next run imports once',
    async (point, prefix, status) => {
      const before = await stored('imp_none');
      const importId = await world.prepare(fileOf(prefix), { listIds: [world.account.listId] });
      expect(await runInProcess(importId, point)).toMatchObject({ signal: 'SIGKILL' });

      const after = await stored(importId);
      const whole = { contacts: before.contacts + 21_000, refusals: 3, members: before.members + 21_000 };
      expect(after).toEqual(status === 'finished' ? whole : before);
      expect(status).toContain((await world.find(importId)).status);

      let result = await world.run(importId);
      // The dead process's connection holds the lock until the server notices.
      while (result.kind === 'busy') result = await world.run(importId);
      expect(result).toEqual({
        kind: 'ended',
        status: 'finished',
        rows: { read: 21_004, imported: 21_000, created: 21_000, merged: 1, refused: 3 },
      });
      expect(await stored(importId)).toEqual(whole);
      expect((await world.contacts()).find((one) => one.number === `${prefix}2000000`)).toMatchObject({
        first_name: 'Last',
      });
    },
  );
});

describe('memory', () => {
  test('stays flat: 20 MB of refused and merged rows take little more than 5 MB of them', async () => {
    const name = `Name ${'x'.repeat(300)}`;
    const rowsOf = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        index % 2 === 0 ? `not a number,${name}` : `+1602${String(2_000_000 + (index % 10_000))},,${name}`,
      );
    const file = (count: number) => ['number,first name,note', ...rowsOf(count)].join('\n');
    const small = await world.prepare(file(16_000));
    const large = await world.prepare(file(64_000));
    const few = await runInProcess(small);
    const many = await runInProcess(large);
    expect(many.memoryMb - few.memoryMb).toBeLessThan(50);
    const found = await world.find(large);
    expect(found.bytes).toBeGreaterThan(20_000_000);
    expect(found.rows).toMatchObject({ read: 64_000, refused: 32_000, imported: 5_000, merged: 27_000 });
  });
});
