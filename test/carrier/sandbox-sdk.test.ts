import { createHash } from 'node:crypto';
import { Client } from 'plivo';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AUTH_ID, AUTH_TOKEN, type SandboxWorld, SENDER, startSandboxWorld } from './sandbox-world.ts';

/** What the tests call; the SDK's own typings do not fit its code. */
interface Messages {
  readonly create: (message: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly get: (uuid: string) => Promise<unknown>;
  readonly list: (filters: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

const TO = '+14155550001';
let world: SandboxWorld;
let messages: Messages;
beforeAll(async () => {
  world = await startSandboxWorld();
  messages = clientOf(AUTH_TOKEN);
});
afterAll(async () => {
  await world.close();
});

function clientOf(token: string): Messages {
  const client: { readonly messages: unknown } = new Client(AUTH_ID, token, {
    url: `${world.url}/v1/Account/${AUTH_ID}`,
    timeout: 15_000,
  });
  // See Messages.
  return client.messages as Messages;
}

it('the SDK sends one text, reads it and lists it', async () => {
  const sent = await messages.create({ src: SENDER, dst: TO, text: 'Grüße 🥖' });
  expect(sent).toMatchObject({ message: 'message(s) queued', messageUuid: [expect.any(String)] });
  const [line] = await world.ledger();
  expect(line).toMatchObject({ dst: TO, sha256: createHash('sha256').update('Grüße 🥖').digest('hex') });
  const uuid = line?.uuid ?? '';
  expect(await messages.get(uuid)).toMatchObject({ messageUuid: uuid, toNumber: '14155550001', units: 1 });
  const listed = await messages.list({ to_number: '14155550001', limit: 5 });
  expect(listed).toHaveProperty('length', 1);
  expect(listed).toHaveProperty('0.messageUuid', uuid);
});

it('the SDK sends to many at once', async () => {
  await world.control('DELETE', 'ledger');
  await messages.create({ src: SENDER, dst: [TO, '+14155550002', TO, '12'], text: 'Hi' });
  expect((await world.ledger()).map(({ dst }) => dst)).toEqual([TO, '+14155550002']);
});

it('the SDK sees an error as an error', async () => {
  await world.control('DELETE', 'ledger');
  await expect(clientOf('guess').create({ src: SENDER, dst: TO, text: 'Hi' })).rejects.toMatchObject({
    status: 401,
  });
  await expect(messages.create({ src: SENDER, dst: '12', text: 'Hi' })).rejects.toMatchObject({
    status: 400,
  });
  await expect(messages.get('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ status: 404 });
  expect(await world.ledger()).toEqual([]);
});
