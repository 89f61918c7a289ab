import { expect, test } from 'vitest';
import { createWatchMemory } from '../../domain/dispatch/watch-memory.ts';

const LEASE = { accountId: 'acc', scopes: ['acc', 'cmp'], carrierAccountId: 'carrier' };
const PERSON = { numberHash: 'ab' };

function connected(closed: readonly string[] = []) {
  const clock = { now: 100 };
  const memory = createWatchMemory(() => clock.now);
  memory.connecting();
  memory.connected(closed);
  clock.now = 200;
  return { memory, clock, look: (leasedAt = 150) => memory.permission(LEASE, PERSON, leasedAt) };
}

test('refuses everything until it has read which gates are closed', () => {
  const memory = createWatchMemory(() => 0);
  memory.connecting();
  expect(memory.permission(LEASE, PERSON, 0)).toBe('held');
});

test('a gate that moved counts as closed until its newest read is answered', () => {
  const { memory, look } = connected();
  const older = memory.gateMoved('cmp');
  const newer = memory.gateMoved('cmp');
  memory.gateRead(older, 0);
  expect(look()).toBe('held');
  memory.gateRead(newer, 0);
  expect(look()).toBe('open');
});

test('a gate that closes while the closed ones are being read stays closed', () => {
  const { memory, look } = connected();
  memory.lost();
  memory.connecting();
  memory.gateMoved('cmp');
  memory.connected([]);
  expect(look(250)).toBe('held');
});

test('a gate that opens while the closed ones are being read is open', () => {
  const { memory, look } = connected(['cmp']);
  memory.lost();
  memory.connecting();
  memory.gateRead(memory.gateMoved('cmp'), 0);
  memory.connected(['cmp']);
  expect(look(250)).toBe('open');
});

test('a lease that was asked for before notices arrived again is refused', () => {
  const { memory, clock, look } = connected();
  memory.lost();
  memory.connecting();
  memory.connected([]);
  expect(look(clock.now - 1)).toBe('held');
  expect(look(clock.now)).toBe('open');
});

test('whoever opted out is refused, others are not', () => {
  const { memory, look } = connected();
  memory.suppressionMoved('+acc ab');
  expect(look()).toBe('suppressed');
  expect(memory.permission(LEASE, { numberHash: 'cd' }, 150)).toBe('open');
  memory.suppressionMoved('-acc ab');
  expect(look()).toBe('open');
});

test('whom one sender must not text another may', () => {
  const { memory, look } = connected();
  memory.suppressionMoved('+acc ab another');
  expect(look()).toBe('open');
  memory.suppressionMoved('+acc ab cmp');
  expect(look()).toBe('suppressed');
  memory.suppressionMoved('-acc ab cmp');
  expect(look()).toBe('open');
});

test("what was leased before a carrier's pause is refused while it lasts, what was leased since has seen it", () => {
  const { memory, clock, look } = connected();
  memory.carrierPaused('carrier', 1_000);
  memory.carrierPaused('another', 9_000);
  expect(look(clock.now)).toBe('carrier_paused');
  expect(look(clock.now + 1)).toBe('open');
  clock.now += 999;
  expect(look()).toBe('carrier_paused');
  clock.now += 1;
  expect(look()).toBe('open');
});

test("a carrier's pause that grows is refused to its last end, whichever notice comes last", () => {
  const { memory, clock, look } = connected();
  memory.carrierPaused('carrier', 1_000);
  clock.now += 500;
  memory.carrierPaused('carrier', 200);
  expect(look(clock.now)).toBe('carrier_paused');
  clock.now += 499;
  expect(look()).toBe('carrier_paused');
  memory.sweep();
  expect(look()).toBe('carrier_paused');
});

test.each(['cmp', 'carrier'])('what was leased before the circuit of %s opened is refused', (scope) => {
  const { memory, clock, look } = connected();
  memory.circuitOpened(scope);
  expect(look(clock.now)).toBe('circuit_open');
  expect(look(clock.now + 1)).toBe('open');
});
