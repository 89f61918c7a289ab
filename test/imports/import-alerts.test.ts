import { afterAll, beforeAll, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { type ImportWorld, openImportWorld } from './import-world.ts';

let world: ImportWorld;
beforeAll(async () => {
  world = await openImportWorld();
});
afterAll(() => world.close());

const rows = (good: number, bad: number): string =>
  [
    'number',
    ...Array.from({ length: good }, (_, index) => `+1212555${String(2000 + index)}`),
    ...Array.from({ length: bad }, () => 'nobody'),
  ].join('\n');

function open() {
  return withAccount(world.db, world.account.accountId, (trx) =>
    trx
      .selectFrom('alerts')
      .where('kind', '=', 'import_refusals')
      .where('resolved_at', 'is', null)
      .select(['subject_id as importId', 'cause', 'reason'])
      .orderBy('id')
      .execute(),
  );
}

function log(importId: string) {
  return withAccount(world.db, world.account.accountId, (trx) =>
    trx
      .selectFrom('log')
      .where('subject_id', '=', importId)
      .select(['what', 'who', 'to_value as to', 'detail'])
      .execute(),
  );
}

test('an import with many refused rows needs somebody, until the same lists are filled without', async () => {
  const { listId } = world.account;
  const few = await world.importFile(rows(30, 9), { listIds: [listId] });
  expect(await open()).toEqual([]);
  const many = await world.importFile(rows(30, 10), { listIds: [listId] });
  expect(await open()).toEqual([
    { importId: many.id, cause: 'rows_refused', reason: '10 of 40 rows were refused.' },
  ]);
  // Into no list, or into others, says nothing of this one.
  await world.importFile(rows(5, 0));
  expect(await open()).toHaveLength(1);
  await world.importFile(rows(5, 0), { listIds: [listId] });
  expect(await open()).toEqual([]);
  expect(await log(few.id)).toMatchObject([
    { what: 'finish', who: 'system', to: 'finished', detail: { read: 39, refused: 9, imported: 30 } },
  ]);
});

test('an import of which nothing could be read needs somebody, and is logged as failed', async () => {
  const broken = await world.importFile('nothing,of,it\n1,2,3\n');
  expect(broken.status).toBe('failed');
  expect(await open()).toMatchObject([
    { importId: broken.id, reason: 'Nothing of the file was imported.', cause: broken.error?.code },
  ]);
  expect(await log(broken.id)).toMatchObject([{ what: 'fail', detail: { code: broken.error?.code } }]);
  await world.importFile(rows(1, 0));
  expect(await open()).toEqual([]);
});

test('an import that is run again after its end neither logs nor alerts again', async () => {
  const many = await world.importFile(rows(0, 12));
  await world.run(many.id);
  expect(await log(many.id)).toHaveLength(1);
  expect(await open()).toHaveLength(1);
  expect(
    await withAccount(world.db, newId('acc'), (trx) => trx.selectFrom('alerts').select('id').execute()),
  ).toEqual([]);
});
