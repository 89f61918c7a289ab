import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ApiWorld, type Caller, NOON, openApiWorld, type Reply } from './api-world.ts';

const HOUR_MS = 60 * 60_000;
const LATER = '2027-02-12T17:00:00.000Z';

let world: ApiWorld;
/** The same database behind another process. */
let elsewhere: (key: string) => Caller;

beforeAll(async () => {
  world = await openApiWorld();
  elsewhere = await world.openAnother();
});
beforeEach(() => {
  world.clock.at = NOON;
});
afterAll(() => world.close());

/** Who manages the keys, where they stand and what they read: the account's, and the operators'. */
const FAMILIES = [
  {
    of: 'an account',
    path: '/v1/keys',
    reads: '/v1/account',
    fields: { scopes: ['read'] },
    by: () => world.mine.call,
  },
  {
    of: 'an operator',
    path: '/v1/operator-keys',
    reads: '/v1/accounts',
    fields: {},
    by: () => world.operator,
  },
] as const;
type Family = (typeof FAMILIES)[number];

interface Made {
  readonly id: string;
  readonly key: string;
}

async function make(family: Family, more: Readonly<Record<string, unknown>> = {}): Promise<Made> {
  const reply = await family.by()('POST', family.path, { body: { name: 'Job', ...family.fields, ...more } });
  expect(reply.status).toBe(201);
  return madeBy(reply);
}

function madeBy(reply: Reply): Made {
  return { id: String(reply.body['id']), key: String(reply.body['key']) };
}

async function isTaken(family: Family, key: string): Promise<boolean[]> {
  const answers = [];
  for (const call of [world.callWith(key), elsewhere(key)]) {
    const { status } = await call('GET', family.reads);
    expect([200, 401]).toContain(status);
    answers.push(status === 200);
  }
  return answers;
}

describe.each(FAMILIES)('a key of $of', (family) => {
  const read = async (id: string): Promise<Reply> => family.by()('GET', `${family.path}/${id}`);
  const send = (method: string, path: string, body?: unknown, headers = {}) =>
    family.by()(method, `${family.path}/${path}`, { ...(body === undefined ? {} : { body }), headers });

  test('is taken until it expires, and from that instant on by no process', async () => {
    const { id, key } = await make(family, { expiresAt: LATER });
    world.clock.at = Date.parse(LATER) - 1;
    expect(await isTaken(family, key)).toEqual([true, true]);
    world.clock.at = Date.parse(LATER);
    expect(await isTaken(family, key)).toEqual([false, false]);
    expect((await read(id)).body).toMatchObject({ state: 'expired', expiresAt: LATER });
  });

  test('can be given an expiry later, or none again', async () => {
    const { id, key } = await make(family);
    expect((await send('PATCH', id, { expiresAt: LATER })).body).toMatchObject({ expiresAt: LATER });
    world.clock.at = Date.parse(LATER);
    expect(await isTaken(family, key)).toEqual([false, false]);
    const renamed = await send('PATCH', id, { name: 'Renamed', expiresAt: null });
    expect(renamed.body).toMatchObject({ name: 'Renamed', expiresAt: null, state: 'active' });
    expect(await isTaken(family, key)).toEqual([true, true]);
  });

  test('is not made or changed to have expired already', async () => {
    const { id } = await make(family);
    const past = { expiresAt: new Date(NOON).toISOString() };
    for (const reply of [
      await family.by()('POST', family.path, { body: { name: 'Late', ...family.fields, ...past } }),
      await send('PATCH', id, past),
      await send('POST', `${id}/rotate`, past),
    ]) {
      expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/expiresAt' }] } });
    }
    expect((await read(id)).body).toMatchObject({ expiresAt: null, replacedBy: null });
  });

  test('is refused by every process at once when it is revoked, and can be revoked again', async () => {
    const { id, key } = await make(family);
    expect(await isTaken(family, key)).toEqual([true, true]);
    expect((await send('DELETE', id)).status).toBe(204);
    expect(await isTaken(family, key)).toEqual([false, false]);
    const before = (await read(id)).body;
    expect(before).toMatchObject({ state: 'revoked' });
    expect((await send('DELETE', id)).status).toBe(204);
    expect((await read(id)).body).toEqual(before);
  });

  test('is valid beside its successor for the overlap and no longer', async () => {
    const old = await make(family);
    const rotated = await send('POST', `${old.id}/rotate`, { overlapMs: HOUR_MS });
    expect(rotated.status).toBe(201);
    const successor = madeBy(rotated);
    expect(successor.key).not.toBe(old.key);
    const [first, second] = [(await read(old.id)).body, (await read(successor.id)).body];
    expect(first).toMatchObject({
      replacedBy: successor.id,
      expiresAt: new Date(NOON + HOUR_MS).toISOString(),
    });
    expect(second).toMatchObject({ name: first['name'], scopes: first['scopes'], expiresAt: null });
    world.clock.at = NOON + HOUR_MS - 1;
    expect([await isTaken(family, old.key), await isTaken(family, successor.key)]).toEqual([
      [true, true],
      [true, true],
    ]);
    world.clock.at = NOON + HOUR_MS;
    expect([await isTaken(family, old.key), await isTaken(family, successor.key)]).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test('overlaps for a day unless told, but never beyond its own end', async () => {
    const plain = await make(family);
    await send('POST', `${plain.id}/rotate`);
    expect((await read(plain.id)).body).toMatchObject({
      expiresAt: new Date(NOON + 24 * HOUR_MS).toISOString(),
    });
    const soon = new Date(NOON + HOUR_MS).toISOString();
    const short = await make(family, { expiresAt: soon });
    await send('POST', `${short.id}/rotate`, { expiresAt: LATER });
    expect((await read(short.id)).body).toMatchObject({ expiresAt: soon });
  });

  test('has one successor at a time, also when two rotate it at once', async () => {
    const { id } = await make(family);
    const replies = await Promise.all([send('POST', `${id}/rotate`), send('POST', `${id}/rotate`)]);
    const made = replies.find((reply) => reply.status === 201);
    const refused = replies.find((reply) => reply.status === 409);
    expect(refused?.body).toMatchObject({ code: 'key-not-rotatable' });
    expect(String(refused?.body['detail'])).toContain(String(made?.body['id']));
    await send('DELETE', String(made?.body['id']));
    const again = await send('POST', `${id}/rotate`);
    expect(again.status).toBe(201);
    expect((await read(String(again.body['id']))).body).toMatchObject({ expiresAt: null });
  });

  test('is not rotated once it is revoked or has expired', async () => {
    const revoked = await make(family);
    await send('DELETE', revoked.id);
    const expired = await make(family, { expiresAt: LATER });
    world.clock.at = Date.parse(LATER);
    for (const { id } of [revoked, expired]) {
      expect(await send('POST', `${id}/rotate`)).toMatchObject({
        status: 409,
        body: { code: 'key-not-rotatable' },
      });
    }
  });

  test('says when it was used last, and nothing before its first use', async () => {
    const { id, key } = await make(family);
    expect((await read(id)).body).toMatchObject({ lastUsedAt: null });
    await world.callWith(`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)('GET', family.reads);
    expect((await read(id)).body).toMatchObject({ lastUsedAt: null });
    await Promise.all(Array.from({ length: 8 }, () => world.callWith(key)('GET', family.reads)));
    const first = (await read(id)).body['lastUsedAt'];
    expect(Date.parse(String(first))).not.toBeNaN();
    await world.owner.query(
      `update api_key_uses set last_used_at = last_used_at - interval '10 seconds' where key_id = $1`,
      [id],
    );
    const older = (await read(id)).body['lastUsedAt'];
    await elsewhere(key)('GET', family.reads);
    expect((await read(id)).body['lastUsedAt']).toBe(older);
    await world.owner.query(
      `update api_key_uses set last_used_at = last_used_at - interval '2 minutes' where key_id = $1`,
      [id],
    );
    await elsewhere(key)('GET', family.reads);
    expect(String((await read(id)).body['lastUsedAt']) > String(older)).toBe(true);
  });

  test('is never shown again, nor what it is kept as', async () => {
    const { id, key } = await make(family);
    const listed = await family.by()('GET', `${family.path}?pageSize=200`);
    for (const reply of [await read(id), listed]) {
      expect(JSON.stringify(reply.body)).not.toContain(key.slice(-43));
      expect(JSON.stringify(reply.body)).not.toContain('hash');
    }
    expect(JSON.stringify(listed.body)).toContain(id);
  });

  test('leaves a line in the log for each thing that was done to it, and none for what was refused', async () => {
    const { id } = await make(family);
    await send('PATCH', id, { expiresAt: LATER });
    const successor = madeBy(await send('POST', `${id}/rotate`));
    await send('POST', `${id}/rotate`);
    await send('DELETE', id);
    await send('DELETE', id);
    const { rows } = await world.owner.query<{ what: string; detail: unknown; line: string }>(
      `select what, detail, l::text as line from log l where subject_kind = 'key' and subject_id = $1 order by id`,
      [id],
    );
    expect(rows.map((row) => row.what)).toEqual(['create', 'update', 'rotate', 'revoke']);
    expect(rows[2]?.detail).toEqual({ successor: successor.id });
    expect(rows.map((row) => row.line).join()).not.toContain(successor.key.slice(-43));
  });

  test('is changed by nobody who has seen another version of it', async () => {
    const { id } = await make(family);
    const etag = { 'if-match': '"7"' };
    for (const reply of [
      await send('PATCH', id, { name: 'Lost' }, etag),
      await send('POST', `${id}/rotate`, {}, etag),
      await send('DELETE', id, undefined, etag),
    ]) {
      expect(reply).toMatchObject({ status: 412, body: { code: 'version-mismatch' } });
    }
    expect((await read(id)).body).toMatchObject({ name: 'Job', state: 'active', replacedBy: null });
  });
});

test('a key rotates or prolongs none that may do more than itself, but may revoke it', async () => {
  const writer = await world.mine.withScopes(['read', 'write']);
  const { id } = madeBy(
    await world.mine.call('POST', '/v1/keys', { body: { name: 'Sender', scopes: ['write', 'send'] } }),
  );
  for (const reply of [
    await writer('POST', `/v1/keys/${id}/rotate`),
    await writer('PATCH', `/v1/keys/${id}`, { body: { expiresAt: null } }),
  ]) {
    expect(reply).toMatchObject({ status: 403, body: { code: 'scope-missing' } });
    expect(String(reply.body['detail'])).toContain('"send"');
  }
  expect((await writer('DELETE', `/v1/keys/${id}`)).status).toBe(204);
});

test("an account's keys are no operator's keys, and neither stands among the other", async () => {
  const account = await make(FAMILIES[0]);
  const operator = await make(FAMILIES[1]);
  expect((await world.operator('GET', `/v1/operator-keys/${account.id}`)).status).toBe(404);
  expect((await world.operator('DELETE', `/v1/operator-keys/${account.id}`)).status).toBe(404);
  expect((await world.mine.call('GET', `/v1/keys/${operator.id}`)).status).toBe(404);
  expect((await world.mine.call('DELETE', `/v1/keys/${operator.id}`)).status).toBe(404);
  const call = world.callWith(account.key);
  expect((await call('GET', '/v1/operator-keys')).body).toMatchObject({ code: 'scope-missing' });
  expect(String((await call('GET', '/v1/operator-keys')).body['detail'])).toContain('"operator"');
});

test('the last key that runs the installation cannot be revoked, also not when two revoke each other', async () => {
  const other = await openApiWorld();
  try {
    const listed = await other.operator('GET', '/v1/operator-keys');
    const [first] = listed.body['items'] as readonly { readonly id: string }[];
    const last = await other.operator('DELETE', `/v1/operator-keys/${first?.id}`);
    expect(last).toMatchObject({ status: 409, body: { code: 'last-operator-key' } });
    const second = madeBy(await other.operator('POST', '/v1/operator-keys', { body: { name: 'Second' } }));
    const replies = await Promise.all([
      other.operator('DELETE', `/v1/operator-keys/${second.id}`),
      other.callWith(second.key)('DELETE', `/v1/operator-keys/${first?.id}`),
    ]);
    const { rows } = await other.owner.query(
      `select from api_keys where account_id = 'operator' and revoked_at is null`,
    );
    expect(rows).toHaveLength(1);
    expect(replies.filter((reply) => reply.status === 204)).toHaveLength(1);
  } finally {
    await other.close();
  }
});
