import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChaosAccount, setUpAccount } from '../../chaos/account.ts';
import { type HoldRounds, prepareHoldRounds } from '../../chaos/hold-round.ts';
import { startMoreWorkers } from '../../chaos/more-workers.ts';
import { numbersOf } from '../../dev/sending-account.ts';
import { until } from '../../dev/until.ts';
import { startTestSystem, type TestSystem } from './test-system.ts';

const RECIPIENTS = 600;
const TIMEOUT_MS = 300_000;

let system: TestSystem;
let workers: { readonly stop: () => Promise<void> };
let account: ChaosAccount;
let rounds: HoldRounds;
beforeAll(async () => {
  system = await startTestSystem({ temporal: 'file' });
  const running = system.current();
  workers = await startMoreWorkers(running, 3, { apiUrl: running.urls.sandbox ?? '' });
  account = await setUpAccount(
    {
      apiUrl: running.urls.api,
      sandboxUrl: running.urls.sandbox ?? '',
      operatorKey: running.firstKeys?.operatorKey ?? '',
    },
    300,
  );
  rounds = await prepareHoldRounds(account, RECIPIENTS);
}, TIMEOUT_MS);
afterAll(async () => {
  await workers.stop();
  await system.stop();
});

describe('a hold while four workers send', () => {
  it.each(['account', 'campaign'] as const)(
    'on the %s lets out no more than its answer named, and everybody is texted once after it is lifted',
    async (scope) => {
      const seen = await rounds.run({ name: `Hold on the ${scope}`, scope, acceptedBefore: 100 });
      expect(seen.before).toBeGreaterThanOrEqual(100);
      expect(seen.after).toBeLessThanOrEqual(seen.inFlight);
    },
    TIMEOUT_MS,
  );

  it(
    'is placed and lifted while Temporal is stopped, and sending goes on when Temporal is back',
    async () => {
      const startedAt = Date.now();
      const listId = await account.list('Engine down', numbersOf('305', RECIPIENTS));
      const { id } = await account.launch('Engine down', listId);
      await until(
        () => account.campaign(id),
        ({ report }) => report.accepted >= 50,
      );
      const temporal = system.current().part('temporal');
      await temporal.stop();
      const hold = await account.api.post<{ id: string; inFlight: number }>('/v1/holds', {
        scope: 'sender',
        scopeId: account.senderId,
        reason: 'It has to be checked.',
      });
      const answeredAt = Date.now();
      const closed = await until(
        () => account.api.get<{ state: string; inFlight: number }>(`/v1/holds/${hold.id}`),
        ({ inFlight }) => inFlight === 0,
      );
      expect(closed.state).toBe('closed');
      const lines = await account.ledgerSince(startedAt);
      const after = lines.filter((line) => line.time > answeredAt).length;
      expect(after).toBeLessThanOrEqual(hold.inFlight);
      expect(lines.length).toBeLessThan(RECIPIENTS);
      await temporal.start();
      await until(
        () => account.campaign(id),
        ({ status }) => status === 'started',
      );
      expect(await account.ledgerSince(startedAt)).toHaveLength(lines.length);

      await temporal.stop();
      const lifted = await account.api.remove<{ state: string }>(`/v1/holds/${hold.id}`);
      expect(lifted.state).toBe('lifted');
      await temporal.start();
      const { report } = await until(
        () => account.campaign(id),
        ({ status }) => status === 'finished',
      );
      expect(report.accepted).toBe(RECIPIENTS);
      const texted = (await account.ledgerSince(startedAt)).map((line) => line.dst);
      expect(new Set(texted).size).toBe(texted.length);
    },
    TIMEOUT_MS,
  );
});
