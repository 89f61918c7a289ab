import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import {
  type Receiver,
  type SandboxWorld,
  SENDER,
  startReceiver,
  startSandboxWorld,
} from './sandbox-world.ts';

let folder: string;
let ledgerFile: string;
let receiver: Receiver;
let world: SandboxWorld;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carillon-sandbox-'));
  ledgerFile = join(folder, 'ledger.ndjson');
  receiver = await startReceiver();
  world = await startSandboxWorld({ ledgerFile });
});
afterEach(async () => {
  await world.close();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

const restart = async (between: () => Promise<void> = () => Promise.resolve()): Promise<void> => {
  await world.close();
  await between();
  world = await startSandboxWorld({ ledgerFile });
};

it('a restart keeps what was accepted, with ids and ends', async () => {
  const { uuids } = await world.send({ dst: '+14155550001<+14155559002<+14155559007' });
  const before = await until(world.ledger, (lines) => lines.every(({ final }) => final !== null));
  await restart();
  expect(await world.ledger()).toEqual(before);
  expect((await world.get(`${uuids[0]}/`)).status).toBe(200);
});

it('what waited in a queue at a restart goes out and is told after it', async () => {
  await world.control('PUT', `numbers/${SENDER}`, { smsSegmentsPerSecond: 0.001 });
  await world.send({ dst: '+14155550001<+14155550002<+14155559001', url: `${receiver.url}/status` });
  await until(world.ledger, ([line]) => line?.final === 'delivered');
  await restart();
  const lines = await until(world.ledger, (all) => all.every(({ final }) => final !== null));
  expect(lines.map(({ final }) => final)).toEqual(['delivered', 'delivered', 'failed']);
  for (const { uuid, final } of lines) {
    await until(
      () => Promise.resolve(receiver.statusesOf(uuid)),
      (statuses) => statuses.includes(final ?? ''),
    );
  }
});

it('a last word that nobody had taken is told after a restart, one that was taken is not told again', async () => {
  await world.send({ dst: '+14155559001', url: `${receiver.url}/status` });
  await until(
    () => Promise.resolve(receiver.arrivals.length),
    (count) => count === 2,
  );
  await until(
    async () => (await (await world.control('GET', 'stats')).json()) as { callbacks: { waiting: number } },
    ({ callbacks }) => callbacks.waiting === 0,
  );
  receiver.answers.push(200, 500);
  await world.send({ dst: '+14155559004', url: `${receiver.url}/status` });
  await until(
    () => Promise.resolve(receiver.arrivals.length),
    (count) => count === 4,
  );
  receiver.answers.length = 0;
  await restart();
  await until(
    () => Promise.resolve(receiver.arrivals.length),
    (count) => count === 5,
  );
  expect(receiver.arrivals[4]?.form).toMatchObject({ To: '14155559004', Status: 'failed' });
});

it('a line that a crash has torn is cut off, and what comes after it is whole', async () => {
  await world.send({ dst: '+14155550001' });
  await restart(() => appendFile(ledgerFile, '{"uuid":"00'));
  await world.send({ dst: '+14155550002' });
  await restart();
  expect((await world.ledger()).map(({ dst }) => dst)).toEqual(['+14155550001', '+14155550002']);
});

it('a ledger that was deleted stays deleted', async () => {
  await world.send({ dst: '+14155550001' });
  await world.control('DELETE', 'ledger');
  await world.send({ dst: '+14155550002' });
  await restart();
  expect((await world.ledger()).map(({ dst }) => dst)).toEqual(['+14155550002']);
});

it('the process says where it listens, keeps its ledger through a SIGKILL and ends on SIGTERM', async () => {
  const file = join(folder, 'process.ndjson');
  const first = await startProcess(file);
  expect((await first.send('+14155550001')).status).toBe(202);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = await startProcess(file);
  const ledger = await (await fetch(`${second.url}/sandbox/ledger`)).text();
  expect(ledger).toContain('+14155550001');
  second.child.kill('SIGTERM');
  const [code] = (await once(second.child, 'exit')) as [number | null];
  expect(code).toBe(0);
});

async function startProcess(file: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'carrier/sandbox/server.ts'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      SANDBOX_PORT: '0',
      SANDBOX_LEDGER_FILE: file,
      PLIVO_AUTH_ID: 'MAPROCESS',
      PLIVO_AUTH_TOKEN: 'token',
      PARENT_PID: String(process.pid),
    },
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const send = (dst: string): Promise<Response> =>
    fetch(`${url}/v1/Account/MAPROCESS/Message/`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from('MAPROCESS:token').toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ src: SENDER, dst, text: 'Hi' }),
    });
  return { child, url, send };
}
