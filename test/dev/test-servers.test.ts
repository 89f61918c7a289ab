import { describe, expect, it, onTestFinished } from 'vitest';
import { withOwner } from '../../dev/with-owner.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { startTimeSkippingServer } from '../support/time-skipping-server.ts';

function countAccounts(url: string): Promise<number> {
  return withOwner(url, async (owner) => {
    const { rows } = await owner.query<{ count: string }>('select count(*) from accounts');
    return Number(rows[0]?.count);
  });
}

describe("a test's own servers", () => {
  it('a test database has the newest schema and nothing in it, and is gone when dropped', async () => {
    const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    onTestFinished(second.drop);
    expect(first.url).not.toBe(second.url);
    expect(await countAccounts(first.url)).toBe(0);
    await first.drop();
    await expect(countAccounts(first.url)).rejects.toThrow('does not exist');
    expect(await countAccounts(second.url)).toBe(0);
  });

  it('the time-skipping server lets 30 days pass at once', async () => {
    const environment = await startTimeSkippingServer();
    onTestFinished(() => environment.teardown());
    const before = await environment.currentTimeMs();
    await environment.sleep('30 days');
    const passedMs = (await environment.currentTimeMs()) - before;
    expect(passedMs).toBeGreaterThanOrEqual(30 * 24 * 3_600_000);
  });
});
