import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { beginUpload, finishUpload, readPiece } from '../../db/imports/content.ts';
import { type ContactsApi, openContactsApi } from '../contacts/contacts-api.ts';

let api: ContactsApi;
beforeAll(async () => {
  api = await openContactsApi();
});
afterAll(() => api.close());

async function createImport(input: Record<string, unknown> = {}): Promise<string> {
  const reply = await api.caller.call('POST', '/v1/imports', input);
  expect(reply).toMatchObject({ status: 201, body: { status: 'waiting' } });
  return String(reply.body['id']);
}

function put(id: string, content: string, type = 'text/csv') {
  return api.caller.call('PUT', `/v1/imports/${id}/content`, content, { 'content-type': type });
}

describe('an import over HTTP', () => {
  test('is made, fed, run and read, with its refusals as JSON and CSV', async () => {
    const id = await createImport({ newListName: 'Imported' });
    const file =
      'Mobile,First Name,Time Zone\n+12125552001,Ann,America/New_York\n=1+1,Bo,\n555,"Cy, =2",\n,Dee,\n';
    expect(await put(id, file)).toMatchObject({ status: 202, body: { bytes: file.length } });
    await api.imported();
    const done = await api.caller.call('GET', `/v1/imports/${id}`);
    expect(done.body).toMatchObject({
      status: 'finished',
      rows: { read: 4, imported: 1, created: 1, merged: 0, refused: 3 },
      mapping: { Mobile: 'number', 'First Name': 'firstName', 'Time Zone': 'timeZone' },
      format: { encoding: 'utf-8', delimiter: ',', columns: ['Mobile', 'First Name', 'Time Zone'] },
      error: null,
    });
    const [listId] = done.body['listIds'] as string[];
    expect((await api.caller.call('GET', `/v1/lists/${listId}`)).body).toMatchObject({
      name: 'Imported',
      contacts: 1,
    });

    const first = await api.caller.call('GET', `/v1/imports/${id}/refusals?pageSize=2`);
    expect(first.body).toMatchObject({
      items: [
        { line: 3, reason: 'not_a_number', field: 'number' },
        { line: 4, reason: 'impossible', field: 'number' },
      ],
      nextCursor: '4',
    });
    const rest = await api.caller.call('GET', `/v1/imports/${id}/refusals?pageSize=2&cursor=4`);
    expect(rest.body).toMatchObject({ items: [{ line: 5, reason: 'empty' }], nextCursor: null });

    const csv = await api.caller.call('GET', `/v1/imports/${id}/refusals.csv`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const lines = String(csv.body['text']).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^3,not_a_number,number,.*,'=1\+1 \| Bo \| $/);
  });

  test('takes its content whatever its type says, even JSON', async () => {
    const id = await createImport();
    expect((await put(id, 'number\n+12125552101\n', 'application/json')).status).toBe(202);
    await api.imported();
    expect((await api.caller.call('GET', `/v1/imports/${id}`)).body).toMatchObject({ rows: { imported: 1 } });
  });

  test('whose upload breaks off goes on waiting, and the next upload takes its place', async () => {
    const id = await createImport();
    await brokenUpload(id, `number\n${'+12125552999\n'.repeat(100_000)}`);
    expect((await api.caller.call('GET', `/v1/imports/${id}`)).body).toMatchObject({ status: 'waiting' });
    expect((await put(id, 'number\n+12125552201\n')).status).toBe(202);
    await api.imported();
    expect((await api.caller.call('GET', `/v1/imports/${id}`)).body).toMatchObject({
      status: 'finished',
      rows: { read: 1, imported: 1 },
    });
  });

  test('takes content once', async () => {
    const id = await createImport();
    expect((await put(id, '')).status).toBe(400);
    expect((await put(id, 'number\n+12125552301\n')).status).toBe(202);
    await api.imported();
    expect(await put(id, 'number\n+12125552302\n')).toMatchObject({
      status: 409,
      body: { code: 'action-not-allowed' },
    });
  });

  test('that cannot be done says why and how to mend it', async () => {
    const id = await createImport();
    await put(id, 'name\nAnn\n');
    await api.imported();
    expect((await api.caller.call('GET', `/v1/imports/${id}`)).body).toMatchObject({
      status: 'failed',
      error: { code: 'no_number_column', message: expect.stringContaining('Mobile') as string },
    });
  });

  test('follows a mapping and a default country', async () => {
    const id = await createImport({
      mapping: { A: 'number', B: 'timeZone', C: 'custom.city', D: null },
      defaultCountry: 'DE',
    });
    await put(id, 'A;B;C;D\n0151 23456789;Europe/Berlin;Bonn;x\n');
    await api.imported();
    const found = await api.caller.call('POST', '/v1/contacts/find', { number: '+4915123456789' });
    expect(found.body).toMatchObject({
      country: 'DE',
      timeZone: 'Europe/Berlin',
      custom: { city: 'Bonn' },
    });
  });

  test('of another account is not found', async () => {
    const id = await createImport();
    expect((await api.other.call('GET', `/v1/imports/${id}`)).status).toBe(404);
    expect((await api.other.call('GET', `/v1/imports/${id}/refusals`)).status).toBe(404);
    expect((await api.other.call('GET', `/v1/imports/${id}/refusals.csv`)).status).toBe(404);
    expect((await api.other.call('PUT', `/v1/imports/${id}/content`, 'number\n1')).status).toBe(404);
    expect((await api.other.call('GET', '/v1/imports')).body).toMatchObject({ total: 0 });
    expect((await api.caller.call('GET', '/v1/imports?pageSize=1')).body).toMatchObject({ items: [{ id }] });
  });

  test('keeps its lists from being deleted until it has ended', async () => {
    const made = await api.caller.call('POST', '/v1/imports', { newListName: 'Busy' });
    const [listId] = made.body['listIds'] as string[];
    const { accountId } = api.caller.account;
    await withAccount(api.db, accountId, async (trx) => {
      const begun = await beginUpload(trx, accountId, String(made.body['id']));
      if (begun.kind === 'upload') await finishUpload(trx, begun.upload, 0);
    });
    expect(await api.caller.call('DELETE', `/v1/lists/${listId}`)).toMatchObject({
      status: 409,
      body: { code: 'in-use' },
    });
  });

  test.each([
    [{ mapping: { A: 'phone' } }, '/mapping/A'],
    [{ mapping: { A: 'firstName' } }, '/mapping'],
    [{ mapping: { A: 'number', B: 'number' } }, '/mapping/B'],
    [{ defaultCountry: 'ZZ' }, '/defaultCountry'],
    [{ listIds: ['lst_01m86mtaj9fzxvj3x8dcj53g4n'] }, '/listIds/0'],
    [{ newListName: '' }, '/newListName'],
    [{ list: 'x' }, '/list'],
  ])('%# is refused, naming the field', async (input, pointer) => {
    const reply = await api.caller.call('POST', '/v1/imports', input);
    expect([400, 422]).toContain(reply.status);
    expect(JSON.stringify(reply.body['errors'])).toContain(`"pointer":"${pointer}"`);
  });
});

/** Sends a part of what it announces, then ends the connection; resolves when the server has kept some of it. */
async function brokenUpload(id: string, content: string): Promise<void> {
  const upload = request(`${api.url}/v1/imports/${id}/content`, {
    method: 'PUT',
    headers: {
      authorization: api.caller.authorization,
      'content-type': 'text/csv',
      'content-length': String(content.length * 2),
    },
  });
  const broken = new Promise((resolve) => upload.once('error', resolve));
  upload.write(content);
  for (;;) {
    const { body } = await api.caller.call('GET', `/v1/imports/${id}/refusals`);
    expect(body['items']).toEqual([]);
    if (await hasPieces(id)) break;
  }
  upload.destroy(new Error('The connection broke.'));
  await broken;
}

async function hasPieces(id: string): Promise<boolean> {
  const piece = await withAccount(api.db, api.caller.account.accountId, (trx) => readPiece(trx, id, 0));
  return piece !== null;
}
