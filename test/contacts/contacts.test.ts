import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { type ContactsApi, openContactsApi } from './contacts-api.ts';

let api: ContactsApi;
beforeAll(async () => {
  api = await openContactsApi();
});
afterAll(() => api.close());

async function create(number: string, more: Record<string, unknown> = {}) {
  const reply = await api.caller.call('POST', '/v1/contacts', { number, ...more });
  expect(reply.status).toBe(201);
  return reply.body as { id: string; number: string };
}

describe('a contact', () => {
  test('is created, read, changed and deleted', async () => {
    const made = await create('(212) 555-2001', {
      firstName: ' Zoë ',
      timeZone: 'America/New_York',
      custom: { city: 'Reno' },
    });
    expect(made).toMatchObject({
      number: '+12125552001',
      country: 'US',
      firstName: 'Zoë',
      lastName: null,
      custom: { city: 'Reno' },
    });
    const path = `/v1/contacts/${made.id}`;
    const read = await api.caller.call('GET', path);
    expect(read.body).toEqual(made);
    const etag = read.headers.get('etag') ?? '';

    const changed = await api.caller.call(
      'PATCH',
      path,
      { lastName: 'Lee', custom: {} },
      { 'if-match': etag },
    );
    expect(changed).toMatchObject({ status: 200, body: { firstName: 'Zoë', lastName: 'Lee', custom: {} } });
    const stale = await api.caller.call('PATCH', path, { lastName: 'Park' }, { 'if-match': etag });
    expect(stale).toMatchObject({ status: 412, body: { code: 'version-mismatch' } });

    expect((await api.caller.call('DELETE', path)).status).toBe(204);
    expect((await api.caller.call('GET', path)).status).toBe(404);
  });

  test('is unique by its number in the account, and only there', async () => {
    const first = await create('+12125552002');
    const twin = await api.caller.call('POST', '/v1/contacts', { number: '212-555-2002' });
    expect(twin).toMatchObject({ status: 409, body: { code: 'already-exists' } });
    expect((await api.other.call('POST', '/v1/contacts', { number: '+12125552002' })).status).toBe(201);

    const second = await create('+12125552003');
    const renumbered = await api.caller.call('PATCH', `/v1/contacts/${second.id}`, { number: first.number });
    expect(renumbered).toMatchObject({ status: 409, body: { code: 'already-exists' } });
    const moved = await api.caller.call('PATCH', `/v1/contacts/${second.id}`, { number: '+12125552004' });
    expect(moved).toMatchObject({ status: 200, body: { number: '+12125552004' } });
  });

  test('is found by its number, which stands in no URL', async () => {
    const made = await create('+12125552005');
    const found = await api.caller.call('POST', '/v1/contacts/find', { number: '1 (212) 555 2005' });
    expect(found).toMatchObject({ status: 200, body: { id: made.id } });
    const missing = await api.caller.call('POST', '/v1/contacts/find', { number: '+12125552999' });
    expect(missing.status).toBe(404);
  });

  test('of another account is not found, whatever is done to it', async () => {
    const made = await create('+12125552006');
    const path = `/v1/contacts/${made.id}`;
    expect((await api.other.call('GET', path)).status).toBe(404);
    expect((await api.other.call('PATCH', path, { firstName: 'X' })).status).toBe(404);
    expect((await api.other.call('DELETE', path)).status).toBe(404);
    expect((await api.other.call('POST', '/v1/contacts/find', { number: made.number })).status).toBe(404);
    expect((await api.caller.call('GET', path)).body).toEqual(made);
  });

  test.each([
    [{}, '/number'],
    [{ number: 5 }, '/number'],
    [{ number: 'none' }, '/number'],
    [{ number: '+442079460123' }, '/number'],
    [{ number: '+12125552007', timeZone: 'Mars/Olympus' }, '/timeZone'],
    [{ number: '+12125552007', firstName: 'x'.repeat(201) }, '/firstName'],
    [{ number: '+12125552007', firstName: 'a\0b' }, '/firstName'],
    [{ number: '+12125552007', firstName: '\uD800' }, '/firstName'],
    [{ number: '+12125552007', custom: { 'a b': 'c' } }, '/custom/a b'],
    [{ number: '+12125552007', custom: { city: 'x'.repeat(501) } }, '/custom/city'],
    [{ number: '+12125552007', custom: { city: 5 } }, '/custom/city'],
    [
      {
        number: '+12125552007',
        custom: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])),
      },
      '/custom',
    ],
    [{ number: '+12125552007', phone: '1' }, '/phone'],
  ])('%# is refused and changes nothing', async (input, pointer) => {
    const reply = await api.caller.call('POST', '/v1/contacts', input);
    expect([400, 422]).toContain(reply.status);
    expect(JSON.stringify(reply.body['errors'])).toContain(`"pointer":"${pointer}"`);
    const found = await api.caller.call('POST', '/v1/contacts/find', { number: '+12125552007' });
    expect(found.status).toBe(404);
  });

  test.each(['con_0000000000000', 'con_zzzzzzzzzzzzz', 'con_0000000000zzz'])(
    'with the made-up id %s is 404',
    async (id) => expect((await api.caller.call('GET', `/v1/contacts/${id}`)).status).toBe(404),
  );
});

describe('a list', () => {
  async function createList(name: string) {
    const reply = await api.caller.call('POST', '/v1/lists', { name });
    expect(reply.status).toBe(201);
    return String(reply.body['id']);
  }

  test('has members, each once, and pages through them', async () => {
    const id = await createList('Members');
    const contacts = [
      await create('+12125552011'),
      await create('+12125552012'),
      await create('+12125552013'),
    ];
    const contactIds = contacts.map((contact) => contact.id);
    const add = () => api.caller.call('POST', `/v1/lists/${id}/members`, { contactIds });
    expect(await add()).toMatchObject({ status: 200, body: { contacts: 3 } });
    expect(await add()).toMatchObject({ status: 200, body: { contacts: 3 } });

    const first = await api.caller.call('GET', `/v1/contacts?listId=${id}&pageSize=2`);
    expect(first.body['items']).toEqual(contacts.slice(0, 2));
    const next = await api.caller.call(
      'GET',
      `/v1/contacts?listId=${id}&pageSize=2&cursor=${String(first.body['nextCursor'])}`,
    );
    expect(next.body).toEqual({ items: contacts.slice(2), nextCursor: null });

    const member = `/v1/lists/${id}/members/${contactIds[0] ?? ''}`;
    expect((await api.caller.call('DELETE', member)).status).toBe(204);
    expect((await api.caller.call('DELETE', member)).status).toBe(404);
    expect((await api.caller.call('GET', `/v1/lists/${id}`)).body).toMatchObject({ contacts: 2 });
  });

  test('takes all the contacts or none', async () => {
    const id = await createList('All or none');
    const mine = await create('+12125552014');
    const { body } = await api.other.call('POST', '/v1/contacts', { number: '+12125552015' });
    const reply = await api.caller.call('POST', `/v1/lists/${id}/members`, {
      contactIds: [mine.id, body['id']],
    });
    expect(reply).toMatchObject({
      status: 422,
      body: { code: 'unknown-reference', errors: [{ pointer: '/contactIds/1' }] },
    });
    expect((await api.caller.call('GET', `/v1/lists/${id}`)).body).toMatchObject({ contacts: 0 });
  });

  test('has a name that is unique without regard to case', async () => {
    const id = await createList('Bakers');
    expect(await api.caller.call('POST', '/v1/lists', { name: ' BAKERS' })).toMatchObject({
      status: 409,
      body: { code: 'name-taken' },
    });
    const second = await createList('Brewers');
    expect(await api.caller.call('PATCH', `/v1/lists/${second}`, { name: 'bakers' })).toMatchObject({
      status: 409,
      body: { code: 'name-taken' },
    });
    expect(await api.caller.call('PATCH', `/v1/lists/${id}`, { name: 'BAKERS' })).toMatchObject({
      status: 200,
      body: { name: 'BAKERS' },
    });
    expect((await api.caller.call('POST', '/v1/lists', { name: ' ' })).status).toBe(400);
    const found = await api.caller.call('GET', '/v1/lists?q=aker');
    expect(found.body).toMatchObject({ total: 1, items: [{ id, name: 'BAKERS' }] });
  });

  test('is deleted without its contacts, and of another account is not found', async () => {
    const id = await createList('Gone soon');
    const contact = await create('+12125552016');
    await api.caller.call('POST', `/v1/lists/${id}/members`, { contactIds: [contact.id] });
    expect((await api.other.call('GET', `/v1/lists/${id}`)).status).toBe(404);
    expect((await api.other.call('DELETE', `/v1/lists/${id}`)).status).toBe(404);
    expect((await api.other.call('GET', `/v1/contacts?listId=${id}`)).status).toBe(404);
    expect((await api.caller.call('DELETE', `/v1/lists/${id}`)).status).toBe(204);
    expect((await api.caller.call('GET', `/v1/contacts/${contact.id}`)).status).toBe(200);
    expect((await api.caller.call('GET', `/v1/contacts?listId=${id}`)).status).toBe(404);
  });

  test('loses a member who is deleted, and leaves no member behind when it is', async () => {
    const id = await createList('Shrinking');
    const gone = await create('+12125552021');
    const stays = await create('+12125552022');
    await api.caller.call('POST', `/v1/lists/${id}/members`, { contactIds: [gone.id, stays.id] });
    await api.caller.call('DELETE', `/v1/contacts/${gone.id}`);
    expect((await api.caller.call('GET', `/v1/lists/${id}`)).body).toMatchObject({ contacts: 1 });
    await api.caller.call('DELETE', `/v1/lists/${id}`);
    const left = await withAccount(api.db, api.caller.account.accountId, (trx) =>
      trx.selectFrom('list_members').where('list_id', '=', id).select('contact_id').execute(),
    );
    expect(left).toEqual([]);
  });
});
