import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pageCacheMb, startEmbeddedPostgres, type EmbeddedPostgres } from '../../dev/embedded-postgres.ts';
import { freePorts } from '../../dev/ports.ts';
import { isRunning, sendSignal } from '../../dev/process-identity.ts';
import { until } from '../../dev/until.ts';
import { withOwner } from '../../dev/with-owner.ts';
import { allGone, mustIdentify, runProgram } from './program-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function start(home: string): Promise<EmbeddedPostgres> {
  const [port = 0] = await freePorts(1);
  const server = await startEmbeddedPostgres({ home, port, progress: () => undefined });
  onTestFinished(server.stop);
  return server;
}

function ask(url: string, statement: string): Promise<unknown[]> {
  return withOwner(url, async (owner) => {
    const { rows } = await owner.query<Record<string, unknown>>(statement);
    return rows.flatMap((row) => Object.values(row));
  });
}

describe('an embedded PostgreSQL', () => {
  it.each(['passable', 'private'] as const)(
    'keeps its data from one start to the next, in a %s home',
    async (access) => {
      const home = await temporaryFolder(access);
      const first = await start(home);
      await ask(first.url, 'create table kept as select 42 as answer');
      await first.stop();
      const second = await start(home);
      expect(await ask(second.url, 'select answer from kept')).toEqual([42]);
    },
  );

  it('is PostgreSQL 18, durable, in UTC, and asks for its password', async () => {
    const { url } = await start(await temporaryFolder());
    expect(await ask(url, 'show server_version_num')).toEqual([expect.stringMatching(/^18/)]);
    expect(await ask(url, 'show fsync')).toEqual(['on']);
    expect(await ask(url, 'show timezone')).toEqual(['UTC']);
    // More than its default, with which a large audience does not stay in memory.
    const pages = "select setting::int / 128 from pg_settings where name = 'shared_buffers'";
    expect((await ask(url, pages))[0]).toBeGreaterThan(pageCacheMb(0));
    const wrong = new URL(url);
    wrong.password = 'guessed';
    await expect(ask(wrong.href, 'select 1')).rejects.toThrow('password');
  });

  it.each([
    { memoryMb: 256, cacheMb: 128 },
    { memoryMb: 4_096, cacheMb: 1_024 },
    { memoryMb: 262_144, cacheMb: 2_048 },
  ])('keeps $cacheMb MB of its data in memory where there are $memoryMb', ({ memoryMb, cacheMb }) => {
    expect(pageCacheMb(memoryMb)).toBe(cacheMb);
  });

  it('ends when its starter is killed, and starts again with what was committed', async () => {
    const home = await temporaryFolder();
    const starter = runProgram('run-postgres.ts', [home]);
    const server = mustIdentify(Number(await starter.nextLine()));
    await ask((await starter.nextLine()) ?? '', 'create table kept as select 42 as answer');
    starter.signal('SIGKILL');
    await allGone([server]);
    expect(await ask((await start(home)).url, 'select answer from kept')).toEqual([42]);
  });

  it('that was killed itself starts again in spite of the files it left', async () => {
    const home = await temporaryFolder();
    const first = await start(home);
    await ask(first.url, 'create table kept as select 42 as answer');
    sendSignal(first.child.pid, 'SIGKILL');
    await first.child.exited;
    expect(await ask((await start(home)).url, 'select answer from kept')).toEqual([42]);
  });

  it('that was killed starts again once whoever still works for it has ended', async () => {
    const home = await temporaryFolder();
    const first = await start(home);
    const busy = ask(
      first.url,
      `do $$ declare from_here timestamptz := clock_timestamp(); begin
         while clock_timestamp() < from_here + interval '2 seconds' loop end loop;
       end $$`,
    ).catch(() => 'cut off');
    await until(
      () => ask(first.url, "select count(*)::int from pg_stat_activity where query like 'do $$%'"),
      ([count]) => count === 1,
    );
    sendSignal(first.child.pid, 'SIGKILL');
    await first.child.exited;
    expect(await ask((await start(home)).url, 'select 1')).toEqual([1]);
    await busy;
  });

  it('that runs on these data though nobody remembers it is ended first', async () => {
    const home = await temporaryFolder();
    const starter = runProgram('run-postgres.ts', [home]);
    const orphan = mustIdentify(Number(await starter.nextLine()));
    await rm(join(home, 'run'), { recursive: true });
    const server = await start(home);
    expect(isRunning(orphan)).toBe(false);
    await ask(server.url, 'select 1');
  });
});
