import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const ZONE = 'America/New_York';

interface Count {
  readonly reason: string;
  readonly count: number;
}
interface Review {
  readonly token: string;
  readonly recipients: number;
  readonly segments: number;
  readonly cost: { readonly amountMicro: number };
  readonly estimated: boolean;
  readonly refusals: readonly unknown[];
  readonly messages: readonly {
    readonly recipients: number;
    readonly segments: number;
    readonly cost: { readonly amountMicro: number };
    readonly leftOut: readonly Count[];
  }[];
}
interface Report {
  readonly recipients: number;
  readonly accepted: number;
  readonly awaitingReport: number;
  readonly inFlight: number;
  readonly skipped: readonly Count[];
  readonly segments: number;
  readonly cost: { readonly amountMicro: number };
}
interface Reported {
  readonly status: string;
  readonly messages: readonly { readonly id: string; readonly status: string; readonly report: Report }[];
}

let world: SystemWorld;
beforeAll(async () => {
  world = await startSystemWorld();
  await change('/v1/account', { prefix: '{{account.senderName}}: ', suffix: ' Reply STOP to opt out' });
});
afterAll(async () => {
  await world.stop();
});

const change = (path: string, body: unknown) => world.api.patch(path, body);
const review = (id: string, body: unknown) => world.api.post<Review>(`/v1/campaigns/${id}/review`, body);
const reported = (id: string) => world.api.get<Reported>(`/v1/campaigns/${id}`);
const byReason = (counts: readonly Count[]) =>
  counts.map(({ reason, count }) => `${reason} ${count}`).toSorted();

it('a review says what the report says once everybody has been texted: recipients, reasons, segments and cost', async () => {
  const abroad = numbers(3, '604');
  const stopped = numbers(2, '628');
  const list = await world.list('Mixed', [...numbers(25, '415'), ...abroad, ...stopped]);
  for (const from of stopped)
    await world.sandbox.post('/sandbox/inbound', { from, to: '24365', text: 'STOP' });
  const draft = await world.draft('Reviewed', list, [
    // With the account's prefix and suffix: one segment for names of one digit, two for longer ones.
    `Hi {{firstName}}, ${'a'.repeat(119)}`,
    'The same for all 🎉',
  ]);
  const soon = { local: toLocal(Date.now() + 5_000, ZONE), zone: ZONE };
  await change(`/v1/campaigns/${draft.id}/messages/${draft.messages[1]?.id}`, { schedule: soon });

  const seen = await review(draft.id, { start: 'now' });
  expect(seen).toMatchObject({ recipients: 30, estimated: false, refusals: [] });
  await world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now', reviewToken: seen.token });
  await world.reaches(draft.id, 'finished');
  const done = await until(
    () => reported(draft.id),
    ({ messages }) => messages.every(({ report }) => report.awaitingReport === 0),
  );

  const told = done.messages.map(({ report }) => ({
    recipients: report.accepted,
    leftOut: byReason(report.skipped),
    segments: report.segments,
    costMicroUsd: report.cost.amountMicro,
  }));
  expect(told.map((message) => message.recipients)).toEqual([25, 25]);
  expect(told[0]?.segments).toBeGreaterThan(25);
  expect(told[0]?.segments).toBeLessThan(50);
  expect(
    seen.messages.map((message) => ({
      recipients: message.recipients,
      leftOut: byReason(message.leftOut),
      segments: message.segments,
      costMicroUsd: message.cost.amountMicro,
    })),
  ).toEqual(told);
  expect(seen.cost.amountMicro).toBe(told.reduce((sum, message) => sum + message.costMicroUsd, 0));
});

it('a review of a restart counts the rest, which the restart then sends', async () => {
  await change(`/v1/senders/${world.senderId}`, { segmentsPerSecond: 4 });
  const list = await world.list('Cut', numbers(40, '312'));
  const draft = await world.draft('Cut', list, ['Hi {{firstName}}']);
  await world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });
  await until(
    () => reported(draft.id),
    ({ messages }) => (messages[0]?.report.accepted ?? 0) > 0,
  );
  await world.api.post(`/v1/campaigns/${draft.id}/stop`, {});
  const cut = await until(
    () => reported(draft.id),
    ({ status, messages }) =>
      status === 'stopped' && messages[0]?.status === 'cut' && messages[0].report.inFlight === 0,
  );
  await change(`/v1/senders/${world.senderId}`, { segmentsPerSecond: null });
  const before = cut.messages[0]?.report.accepted ?? 0;
  expect(before).toBeLessThan(40);

  const schedule = { local: toLocal(Date.now() + 6_000, ZONE), zone: ZONE };
  const restart = { messages: [{ messageId: draft.messages[0]?.id, schedule }] };
  const seen = await review(draft.id, restart);
  expect(seen).toMatchObject({ recipients: 40 - before, refusals: [], segments: 40 - before });
  await world.api.post(`/v1/campaigns/${draft.id}/restart`, { ...restart, reviewToken: seen.token });
  await world.reaches(draft.id, 'finished');
  const done = await until(
    () => reported(draft.id),
    ({ messages }) => messages[0]?.report.awaitingReport === 0,
  );
  expect(done.messages[0]?.report).toMatchObject({ recipients: 40, accepted: 40 });
  expect(
    (done.messages[0]?.report.cost.amountMicro ?? 0) - (cut.messages[0]?.report.cost.amountMicro ?? 0),
  ).toBe(seen.cost.amountMicro);
});

it('an account that demands reviews launches nothing without one', async () => {
  const list = await world.list('Demanding', numbers(2, '206'));
  const draft = await world.draft('Demanding', list, ['Hello {{firstName}}']);
  await change('/v1/account', { reviewRequired: true });
  const launch = (body: Record<string, unknown>) =>
    world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now', ...body });
  await expect(launch({})).rejects.toThrow('review-required');
  const { token } = await review(draft.id, { start: 'now' });
  await world.list('Demanding, grown', numbers(3, '206'));
  await change(`/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`, { text: 'Changed' });
  await expect(launch({ reviewToken: token })).rejects.toThrow('review-stale');
  await launch({ reviewToken: (await review(draft.id, { start: 'now' })).token });
  await world.reaches(draft.id, 'finished');
  await change('/v1/account', { reviewRequired: false });
});
