import { expect, test } from 'vitest';
import { createSlots } from '../../domain/dispatch/slots.ts';

/** Whether a promise has been fulfilled by now, and with what. */
async function settledNow<Value>(promise: Promise<Value>): Promise<Value | 'waiting'> {
  return Promise.race([promise, Promise.resolve().then(() => 'waiting' as const)]);
}

test('are taken as far as they are free, and no more than are wanted', async () => {
  const slots = createSlots(100);
  expect(await slots.take(10)).toBe(10);
  expect(await slots.take(128)).toBe(90);
});

test('that come back one by one are handed out once there are enough for a lease worth its cost', async () => {
  const slots = createSlots(100);
  await slots.take(100);
  const waiting = slots.take(128);
  for (let back = 0; back < 24; back += 1) slots.giveBack(1);
  expect(await settledNow(waiting)).toBe('waiting');
  slots.giveBack(1);
  expect(await waiting).toBe(25);
});

test('of a worker with many of them are handed out once they make a wide lease and leave another one under way', async () => {
  const slots = createSlots(256);
  await slots.take(256);
  const waiting = slots.take(128);
  slots.giveBack(127);
  expect(await settledNow(waiting)).toBe('waiting');
  slots.giveBack(1);
  expect(await waiting).toBe(128);
});

test('are given in the order in which they were asked for, also to who wants few', async () => {
  const slots = createSlots(100);
  await slots.take(100);
  const first = slots.take(128);
  const second = slots.take(1);
  slots.giveBack(1);
  expect(await settledNow(second)).toBe('waiting');
  slots.giveBack(25);
  expect(await first).toBe(26);
  slots.giveBack(1);
  expect(await second).toBe(1);
});
