import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { failFirst } from './failed-recipient.ts';
import { create, createDraft, createThings, type Things } from './seeded-things.ts';

let world: ApiWorld;
let things: Things;
let count = 0;

beforeAll(async () => {
  world = await openApiWorld();
  things = await createThings(world.mine);
});
afterAll(() => world.close());

/** A finished campaign of one recipient, whose text the carrier never handed over. */
async function finished(): Promise<string> {
  count += 1;
  const { campaign, message } = await createDraft(world.mine, `Finished ${count}`);
  await create(world.mine.call, `/v1/campaigns/${campaign}/launch`, { start: 'scheduled' });
  await world.mine.freeze(campaign);
  await failFirst(world.owner, message);
  await world.owner.query(
    `update campaigns set status = 'finished', prepared_at = launched_at, ever_leased = true where id = $1`,
    [campaign],
  );
  return campaign;
}

const order = (campaign: string, body: unknown) =>
  world.mine.call('POST', `/v1/campaigns/${campaign}/rounds`, { body });

describe('a round over HTTP', () => {
  test('is refused to a campaign of which nobody is so, with what is allowed', async () => {
    const campaign = await finished();
    const unknown = await order(campaign, { kind: 'resend_unknown' });
    expect(unknown).toMatchObject({ status: 409, body: { code: 'action-not-allowed' } });
    expect(unknown.body['allowed']).toEqual(expect.arrayContaining(['retry_failed']));
    const draft = await order(things.campaign, { kind: 'retry_failed' });
    expect(draft).toMatchObject({ status: 409, body: { code: 'action-not-allowed' } });
    expect((await order(campaign, { kind: 'again' })).status).toBe(400);
  });

  test('starts the campaign for exactly those, once, and stands in its view', async () => {
    const campaign = await finished();
    const ordered = await order(campaign, { kind: 'retry_failed' });
    expect(ordered).toMatchObject({ body: { action: 'retry_failed' } });
    expect([200, 202]).toContain(ordered.status);
    const { body } = await world.mine.call('GET', `/v1/campaigns/${campaign}`);
    expect(body).toMatchObject({
      status: 'started',
      finishedAt: null,
      report: { accepted: 1, failed: [{ reason: '300', count: 1 }], waiting: 0 },
      rounds: [{ number: 1, kind: 'retry_failed', recipients: 1, waiting: 1, accepted: 0 }],
      messages: [{ status: 'sending' }],
    });
    expect(await order(campaign, { kind: 'retry_failed' })).toMatchObject({ status: 409 });
    const story = await world.mine.call('GET', `/v1/campaigns/${campaign}/recipients/1`);
    expect(story.body['messages']).toMatchObject([{ state: 'failed', next: { what: 'lift hold' } }]);
    const { rows } = await world.owner.query(
      `select recipient, attempt from wave_members where account_id = $1`,
      [world.mine.accountId],
    );
    expect(rows.at(-1)).toEqual({ recipient: 1, attempt: 2 });
  });

  test('shows a review where the account demands one, and only of the same round', async () => {
    const campaign = await finished();
    await world.mine.call('PATCH', '/v1/account', { body: { reviewRequired: true } });
    try {
      expect(await order(campaign, { kind: 'retry_failed' })).toMatchObject({
        body: { code: 'review-required' },
      });
      const path = `/v1/campaigns/${campaign}/review`;
      const wrong = await world.mine.call('POST', path, { body: { start: 'now' } });
      expect(wrong).toMatchObject({ status: 422, body: { code: 'not-acceptable-value' } });
      const review = await world.mine.call('POST', path, { body: { round: 'retry_failed' } });
      expect(review).toMatchObject({
        status: 200,
        body: { action: 'retry_failed', recipients: 1, refusals: [], messages: [{ recipients: 1 }] },
      });
      const reviewToken = review.body['token'];
      const ordered = await order(campaign, { kind: 'retry_failed', reviewToken });
      expect([200, 202]).toContain(ordered.status);
      expect(await order(campaign, { kind: 'retry_failed', reviewToken })).toMatchObject({ status: 409 });
    } finally {
      await world.mine.call('PATCH', '/v1/account', { body: { reviewRequired: false } });
    }
  });
});
