import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { startSystemWorld } from './system-world.ts';

const NUMBER = '+14155559871';
const NAME = 'Zephyrinus';
const TEXT = 'quokkas juggle marmalade';
const CANARIES = [NUMBER.slice(2), NAME, TEXT, 'marmalade'];

/** Payloads of a history are base64 in its JSON. */
function readable(history: unknown): string {
  return JSON.stringify(history, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
    return typeof value === 'bigint' ? String(value) : value;
  });
}

describe('a person’s number, name and text', () => {
  it('reach no history, no log line and no error message', async () => {
    const world = await startSystemWorld({ env: { LOG_LEVEL: 'trace' } });
    try {
      const { urls } = world.system.current();
      const list = await world.api.post<{ id: string }>('/v1/lists', { name: 'Canary' });
      const contact = await world.api.post<{ id: string }>('/v1/contacts', {
        number: NUMBER,
        firstName: NAME,
      });
      await world.api.post(`/v1/lists/${list.id}/members`, { contactIds: [contact.id] });
      const draft = await world.draft('Canary', list.id, [
        `${NAME}, {{firstName}}: ${TEXT}`,
        `${TEXT} ${NUMBER}`,
      ]);
      const errors = [
        await world.api.post('/v1/contacts', { number: `${NUMBER}99999999`, firstName: NAME }).catch(String),
        await world.api.post('/v1/contacts', { number: NUMBER, firstName: 7, other: TEXT }).catch(String),
        await world.api.post('/v1/contacts', { number: NUMBER, firstName: `${NAME}\u0000` }).catch(String),
        await world.api.post(`/v1/campaigns/${draft.id}/messages`, { text: `${TEXT} {{` }).catch(String),
      ].join('\n');
      const { id, messages } = draft;
      await world.api.post(`/v1/campaigns/${id}/launch`, { start: 'now' }).catch(() => undefined);
      const zone = 'America/New_York';
      const response = await fetch(`${urls.api}/v1/campaigns/${id}/messages/${messages[1]?.id}`, {
        method: 'PATCH',
      });
      expect(response.status).toBe(401);
      await world.sandbox.post('/sandbox/faults', { fault: 'http_500', count: 1 });
      const single = await world.draft('Canary two', list.id, [`${NAME} {{firstName}} ${TEXT}`]);
      await world.api.post(`/v1/campaigns/${single.id}/launch`, { start: 'now' });
      await world.sandbox.post('/sandbox/inbound', { from: NUMBER, to: '24365', text: TEXT });
      await world.reaches(single.id, 'finished');
      expect(zone).toBe('America/New_York');

      const connection = await Connection.connect({ address: urls.temporalAddress });
      const client = new Client({ connection });
      const histories: string[] = [];
      for await (const execution of client.workflow.list()) {
        const handle = client.workflow.getHandle(execution.workflowId, execution.runId);
        histories.push(
          readable(await handle.fetchHistory()),
          readable(execution.memo),
          readable(execution.raw),
        );
      }
      await connection.close();
      const folder = join(world.system.home, 'logs');
      const logs = await Promise.all(
        (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')),
      );

      expect(histories.length).toBeGreaterThan(3);
      expect(logs.join('').length).toBeGreaterThan(1_000);
      for (const canary of CANARIES) {
        expect(histories.join('\n').includes(canary), `${canary} in a history`).toBe(false);
        expect(logs.join('\n').includes(canary), `${canary} in a log`).toBe(false);
        expect(errors.includes(canary), `${canary} in an error`).toBe(false);
      }
    } finally {
      await world.stop();
    }
  });
});
