import { expect, test } from 'vitest';
import { raiseAlert, resolveAlerts } from '../../db/alerts.ts';
import { withAccount } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { useTestDatabase } from '../support/use-test-database.ts';

const db = useTestDatabase();

function raise(accountId: string, subjectId: string, cause: string): Promise<void> {
  return withAccount(db(), accountId, (trx) =>
    raiseAlert(trx, {
      accountId,
      kind: 'carrier_trouble',
      severity: 'warning',
      subject: { kind: 'sender', id: subjectId },
      cause,
      reason: 'It went wrong.',
      remedy: 'Mend it.',
    }),
  );
}

function read(accountId: string) {
  return withAccount(db(), accountId, (trx) =>
    trx
      .selectFrom('alerts')
      .select(['subject_id as subject', 'cause', 'count', 'resolved_at as resolvedAt', 'version'])
      .orderBy('id')
      .execute(),
  );
}

test('a cause that is seen by many at once is one alert that counts them', async () => {
  const accountId = newId('acc');
  await Promise.all(Array.from({ length: 8 }, () => raise(accountId, 'snd_a', 'timeouts')));
  expect(await read(accountId)).toEqual([
    { subject: 'snd_a', cause: 'timeouts', count: 8, resolvedAt: null, version: 8 },
  ]);
});

test('another cause, another subject and another account have alerts of their own', async () => {
  const [mine, theirs] = [newId('acc'), newId('acc')];
  await raise(mine, 'snd_a', 'timeouts');
  await raise(mine, 'snd_a', 'credit');
  await raise(mine, 'snd_b', 'timeouts');
  await raise(theirs, 'snd_a', 'timeouts');
  expect((await read(mine)).map((alert) => [alert.subject, alert.cause, alert.count])).toEqual([
    ['snd_a', 'timeouts', 1],
    ['snd_a', 'credit', 1],
    ['snd_b', 'timeouts', 1],
  ]);
  expect(await read(theirs)).toHaveLength(1);
});

test('an alert whose cause is gone is resolved once, and the cause that comes back is a new one', async () => {
  const accountId = newId('acc');
  await raise(accountId, 'snd_a', 'timeouts');
  await raise(accountId, 'snd_a', 'credit');
  const resolve = (cause?: string) =>
    withAccount(db(), accountId, (trx) =>
      resolveAlerts(trx, {
        accountId,
        kind: 'carrier_trouble',
        subjectId: 'snd_a',
        ...(cause === undefined ? {} : { cause }),
      }),
    );
  expect(await resolve('credit')).toBe(1);
  expect(await resolve('credit')).toBe(0);
  expect((await read(accountId)).map((alert) => alert.resolvedAt === null)).toEqual([true, false]);
  await raise(accountId, 'snd_a', 'credit');
  expect((await read(accountId)).map((alert) => [alert.cause, alert.count])).toEqual([
    ['timeouts', 1],
    ['credit', 1],
    ['credit', 1],
  ]);
  expect(await resolve()).toBe(2);
});
