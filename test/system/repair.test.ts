import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { numbers, openSandbox, startSystemWorld } from './system-world.ts';

const RECIPIENTS = 300;

const TIMEOUT_MS = 300_000;

describe('after everything was killed and Temporal has lost all its data', () => {
  it(
    'every campaign goes on where it stood, and nobody is texted twice or forgotten',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'carillon-ledger-'));
      const env = { SANDBOX_LEDGER_FILE: join(folder, 'ledger.ndjson') };
      const world = await startSystemWorld({ postgres: 'own', temporal: 'file', env });
      try {
        const listId = await world.list('Everybody', numbers(RECIPIENTS));
        const sending = await world.draft('In the middle', listId, ['Hi {{firstName}}']);
        const asleep = await world.draft('Asleep', listId, ['Later']);
        const paused = await world.draft('Paused', listId, ['Held {{firstName}}']);
        const zone = 'America/New_York';
        await world.api.post(`/v1/campaigns/${asleep.id}/messages`, {
          text: 'Second',
          schedule: { local: toLocal(Date.now() + 60_000, zone), zone },
        });
        await world.api.post(`/v1/campaigns/${paused.id}/launch`, { start: 'now' });
        await world.api.post(`/v1/campaigns/${paused.id}/pause`, {});
        await world.api.post(`/v1/campaigns/${asleep.id}/launch`, { start: 'later' });
        await world.api.post(`/v1/campaigns/${sending.id}/launch`, { start: 'now' });
        await until(
          () => world.campaign(sending.id),
          ({ report }) => report.accepted > 50,
        );

        const system = world.system.current();
        for (const name of ['worker', 'api', 'temporal', 'postgres'] as const) await system.part(name).kill();
        await world.system.deleteTemporalData();
        await world.system.restart();
        await openSandbox(world.sandbox);

        const finished = await world.reaches(sending.id, 'finished');
        const settled = await until(
          () => world.campaign(finished.id),
          ({ report }) => report.delivered === report.accepted,
        );
        expect(settled.report.accepted + settled.report.unknown).toBe(RECIPIENTS);
        expect((await world.campaign(paused.id)).status).toBe('paused');
        expect((await world.campaign(asleep.id)).status).toBe('ready');
        await world.api.post(`/v1/campaigns/${paused.id}/resume`, {});
        const resumed = await world.reaches(paused.id, 'finished');
        expect(resumed.report.accepted + resumed.report.unknown).toBe(RECIPIENTS);

        const texts = (await world.ledger()).map((line) => `${line.dst} ${line.sha256}`);
        expect(new Set(texts).size, 'nobody twice').toBe(texts.length);
      } finally {
        await world.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
