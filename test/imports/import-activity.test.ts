import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createImportActivities } from '../../activities/import-contacts.ts';
import { openPool } from '../../db/database.ts';
import { type ImportWorld, openImportWorld } from './import-world.ts';

let world: ImportWorld;
beforeAll(async () => {
  world = await openImportWorld();
});
afterAll(() => world.close());

describe('the activity of an import', () => {
  test('answers with counts only, and again when it is run again', async () => {
    const importId = await world.prepare('number,first name\n+12125552001,Ann\nbad,Bo\n');
    const pool = openPool({ connectionString: world.url, connectionsMax: 2, role: 'carillon_app' });
    const { importContacts } = createImportActivities({ db: world.db, pool, hashKey: world.hashKey });
    const input = { accountId: world.account.accountId, importId };
    const outcome = {
      status: 'finished',
      rows: { read: 2, imported: 1, created: 1, merged: 0, refused: 1 },
    };
    expect(await new MockActivityEnvironment().run(importContacts, input)).toEqual(outcome);
    expect(await new MockActivityEnvironment().run(importContacts, input)).toEqual(outcome);
    const gone = await new MockActivityEnvironment().run(importContacts, { ...input, importId: 'imp_none' });
    expect(gone).toEqual({ status: 'gone', rows: null });
    await pool.end();
  });

  test('says nothing of the file when it fails', async () => {
    const importId = await world.prepare('number,first name\n+12125552002,Canary\n');
    const pool = openPool({ connectionString: world.url, connectionsMax: 2, role: 'carillon_app' });
    await pool.end();
    const { importContacts } = createImportActivities({ db: world.db, pool, hashKey: world.hashKey });
    const input = { accountId: world.account.accountId, importId };
    await expect(new MockActivityEnvironment().run(importContacts, input)).rejects.toMatchObject({
      type: 'import_interrupted',
      message: expect.not.stringMatching(/Canary|5552002|pool/) as string,
    });
  });
});
