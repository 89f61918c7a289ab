import { expect, test } from 'vitest';
import type { LeaseResults } from '../../db/dispatch/record-attempts.ts';
import { recordTogether } from '../../db/dispatch/record-together.ts';
import type { AttemptResult } from '../../domain/dispatch/dispatch-store.ts';

function recordOf(id: number, told: Partial<AttemptResult> = {}, messageKey = 1): LeaseResults {
  const lease = { id, messageKey, accountId: 'acc', month: '2026-11-01' } as LeaseResults['lease'];
  const result: AttemptResult = {
    recipient: id,
    attempt: 1,
    request: 0,
    result: 'accepted',
    cause: null,
    carrierUuid: null,
    segments: 1,
    costMicroUsd: 1,
    ...told,
  };
  return { lease, results: [result], retryAt: 0 };
}

/** A ledger that writes when it is told to. */
function createLedger() {
  const begun: { readonly ids: readonly number[]; readonly end: (error?: Error) => void }[] = [];
  const write = (records: readonly LeaseResults[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      begun.push({ ids: records.map((record) => record.lease.id), end });
    });
  return { begun, record: recordTogether(write) };
}

/** Lets everything happen that waits for nothing from outside. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what comes while a write is under way is written together, and each hears when it is', async () => {
  const { begun, record } = createLedger();
  const heard: number[] = [];
  const all = [1, 2, 3].map(async (id) => {
    await record(recordOf(id));
    heard.push(id);
  });
  await turn();
  expect(begun.map((write) => write.ids)).toEqual([[1]]);
  begun[0]?.end();
  await turn();
  expect(heard).toEqual([1]);
  expect(begun.map((write) => write.ids)).toEqual([[1], [2, 3]]);
  begun[1]?.end();
  await Promise.all(all);
  expect(heard).toEqual([1, 2, 3]);
});

test('one that cannot be written keeps none of those beside it from being written', async () => {
  const { begun, record } = createLedger();
  const settled = Promise.allSettled([1, 2, 3].map((id) => record(recordOf(id))));
  await turn();
  begun[0]?.end();
  await turn();
  begun[1]?.end(new Error('One of them is broken.'));
  await turn();
  begun[2]?.end(new Error('It is the second.'));
  await turn();
  begun[3]?.end();
  expect(begun.map((write) => write.ids)).toEqual([[1], [2, 3], [2], [3]]);
  expect((await settled).map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('whoever was not simply accepted at the first attempt is written by himself and waits for nobody', async () => {
  const { begun, record } = createLedger();
  const all = [
    record(recordOf(1)),
    record(recordOf(2, { result: 'not_accepted' })),
    record(recordOf(3, { attempt: 2 })),
    record(recordOf(4, {}, 2)),
  ];
  await turn();
  expect(begun.map((write) => write.ids)).toEqual([[1], [2], [3], [4]]);
  for (const write of begun) write.end();
  await Promise.all(all);
});
