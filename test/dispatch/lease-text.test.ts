import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(async () => {
  await world.close();
});

test("a lease's texts have the account's prefix and suffix, counted in their segments, unless the message has them off", async () => {
  const { account, inside, lease, messageId } = await world.freeze(4);
  await inside((trx) =>
    trx
      .updateTable('accounts')
      .set({ prefix: '{{account.senderName}}: ', suffix: ` ${'x'.repeat(150)}` })
      .where('id', '=', account.accountId)
      .execute(),
  );
  for (const person of (await lease()).recipients) {
    expect(person.text).toMatch(/^Harbour: Hi Name\d+ x{150}$/);
    expect(person.segments).toBe(2);
  }
  await inside((trx) =>
    trx
      .updateTable('messages')
      .set({ use_prefix: false, use_suffix: false })
      .where('id', '=', messageId)
      .execute(),
  );
  for (const person of (await lease()).recipients) {
    expect(person.text).toMatch(/^Hi Name\d+$/);
    expect(person.segments).toBe(1);
  }
});
