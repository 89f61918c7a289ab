import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { receiveInbound } from '../../db/inbound.ts';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult, Lease, LeasedRecipient } from '../../domain/dispatch/dispatch-store.ts';
import { type ApiWorld, NOON, openApiWorld } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';
import { onlyLease } from '../dispatch/only-lease.ts';

const MINUTE_MS = 60_000;
const PEOPLE = 8;
const numberOf = (index: number): string => `+1212555${String(3_000 + index)}`;

let world: ApiWorld;
let campaign: string;
let message: string;
const contacts = new Map<string, string>();
beforeAll(async () => {
  world = await openApiWorld();
  for (let index = 0; index < PEOPLE; index += 1) {
    const id = await create(world.mine.call, '/v1/contacts', {
      number: numberOf(index),
      firstName: `Name${index}`,
    });
    contacts.set(numberOf(index), id);
  }
  await world.mine.call('POST', `/v1/lists/${world.mine.listId}/members`, {
    body: { contactIds: [...contacts.values()] },
  });
  ({ campaign, message } = await createDraft(world.mine, 'Story'));
  await world.mine.call('POST', `/v1/campaigns/${campaign}/launch`, { body: { start: 'scheduled' } });
  await world.mine.freeze(campaign);
  await inside(async (trx) => {
    await trx
      .updateTable('messages')
      .set({ status: 'sending', began_at: new Date(NOON) })
      .execute();
    await trx
      .updateTable('campaigns')
      .set({ status: 'started', prepared_at: new Date(NOON) })
      .execute();
  });
  await dispatch();
});
afterAll(() => world.close());

const inside: <Result>(work: Parameters<typeof withAccount<Result>>[2]) => Promise<Result> = (work) =>
  withAccount(world.db, world.mine.accountId, work);

/** What became of whom, by number. */
const fates = new Map<string, string>();

/** Leases two at a time: one delivered, one undelivered; one deferred, one unknown; one left out. The rest waits. */
async function dispatch(): Promise<void> {
  const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
  const { accountId } = world.mine;
  const lane = { accountId, campaignId: campaign, messageId: message, lane: 0 };
  const { fence } = await store.enterLane(lane, NOON);
  const lease = async (): Promise<Lease> => onlyLease(await store.openLeases(lane, fence, NOON, 2));
  const record = (of: Lease, results: readonly AttemptResult['result'][]) =>
    store.record(
      of,
      results.map((result, index) => resultOf(of, index, result)),
      NOON + 30 * MINUTE_MS,
    );

  const first = await lease();
  await record(first, ['accepted', 'accepted']);
  const [delivered, undelivered] = first.recipients;
  await report(first, delivered, 'sent', null);
  await report(first, delivered, 'delivered', null);
  await report(first, undelivered, 'undelivered', '070');
  const second = await lease();
  await record(second, ['not_accepted', 'unknown']);
  for (const [fate, person] of [
    ['delivered', delivered],
    ['undelivered', undelivered],
    ['deferred', second.recipients[0]],
    ['unknown', second.recipients[1]],
  ] as const) {
    fates.set(fate, person?.number ?? '');
  }
  const rest = [...contacts.keys()].filter((number) => ![...fates.values()].includes(number));
  const order = await inside((trx) =>
    trx.selectFrom('recipients').select('number').orderBy('recipient').execute(),
  );
  const waiting = order.map((row) => row.number ?? '').filter((number) => rest.includes(number));
  const [left = '', ...others] = waiting;
  await create(world.mine.call, '/v1/suppressions', { number: left, kind: 'opt_out' });
  fates.set('skipped', left);
  const third = await lease();
  await record(
    third,
    third.recipients.map(() => 'accepted'),
  );
  fates.set('accepted', others[0] ?? '');
  fates.set('last', others.at(-1) ?? '');
}

function resultOf(lease: Lease, index: number, result: AttemptResult['result']): AttemptResult {
  const person = lease.recipients[index];
  if (person === undefined) throw new Error('The lease is too narrow.');
  return {
    recipient: person.recipient,
    attempt: person.attempt,
    request: index,
    result,
    cause: result === 'not_accepted' ? 'not_written' : null,
    carrierUuid: result === 'accepted' ? `uuid-${person.recipient}` : null,
    segments: 1,
    costMicroUsd: person.costMicroUsd,
  };
}

async function report(
  lease: Lease,
  person: LeasedRecipient | undefined,
  status: StatusReport['status'],
  errorCode: string | null,
): Promise<void> {
  if (person === undefined) throw new Error('Nobody is meant.');
  const verdicts = await applyStatusReports({ db: world.db, crash: noCrash }, [
    {
      accountId: world.mine.accountId,
      post: { month: lease.month, leaseId: lease.id, request: 0 },
      to: person.number,
      toHash: Buffer.from(person.numberHash, 'hex'),
      uuid: `uuid-${person.recipient}`,
      status,
      errorCode,
      units: 1,
      billedMicroUsd: 7_700,
    },
  ]);
  expect(verdicts).toEqual(['applied']);
}

interface Story {
  readonly id: number;
  readonly number: string | null;
  readonly suppressedAs: string | null;
  readonly messages: readonly Record<string, unknown>[];
}

async function storyOf(fate: string): Promise<Story> {
  const number = fates.get(fate) ?? '';
  const reply = await world.mine.call('POST', `/v1/campaigns/${campaign}/recipients/find`, {
    body: { number },
  });
  expect({ fate, status: reply.status }).toEqual({ fate, status: 200 });
  return reply.body as unknown as Story;
}

describe('a recipient', () => {
  it('is explained attempt by attempt, with what the carrier said of each', async () => {
    const story = await storyOf('delivered');
    expect(story).toMatchObject({ number: fates.get('delivered'), suppressedAs: null });
    expect(story.messages).toMatchObject([
      {
        messageId: message,
        position: 1,
        state: 'delivered',
        leftOut: null,
        attempts: [
          {
            attempt: 1,
            result: 'accepted',
            carrierUuid: `uuid-${story.id}`,
            segments: 1,
            reports: [
              { stage: 'sent', status: 'sent', reason: null },
              { stage: 'final', status: 'delivered', billed: { amountMicro: 7_700, currency: 'USD' } },
            ],
          },
        ],
        next: { what: 'nothing', at: null },
      },
    ]);
  });

  it("is explained with what the carrier's code means, and with what has suppressed him since", async () => {
    const story = await storyOf('undelivered');
    expect(story).toMatchObject({ suppressedAs: 'undeliverable' });
    expect(story.messages).toMatchObject([
      {
        state: 'undelivered',
        attempts: [{ reports: [{ reason: '070', meaning: 'destination permanently unavailable' }] }],
      },
    ]);
  });

  it('is due again when his next try is, if the carrier has certainly not taken his text', async () => {
    const { messages } = await storyOf('deferred');
    expect(messages).toMatchObject([
      {
        state: 'deferred',
        attempts: [{ attempt: 1, result: 'not_accepted', cause: 'not_written', reports: [] }],
        next: { what: 'try again', at: '2027-01-12T12:30:00-05:00', ahead: 0 },
      },
    ]);
  });

  it('is never due again by itself while nobody knows', async () => {
    const { messages } = await storyOf('unknown');
    expect(messages).toMatchObject([{ state: 'unknown', next: { what: 'ask carrier', at: null } }]);
  });

  it('is explained with the reason why he was left out', async () => {
    const { messages, suppressedAs } = await storyOf('skipped');
    expect(suppressedAs).toBe('opt_out');
    expect(messages).toMatchObject([
      { state: 'skipped', leftOut: { status: 'skipped', reason: 'opt_out' }, attempts: [] },
    ]);
  });

  it('who waits is told how many come before him, and is left out once he is suppressed', async () => {
    const before = await storyOf('last');
    expect(before.messages).toMatchObject([{ state: 'waiting', next: { what: 'send', ahead: 1 } }]);
    const number = fates.get('last') ?? '';
    const id = await create(world.mine.call, '/v1/suppressions', { number, kind: 'manual' });
    const after = await storyOf('last');
    expect(after.messages).toMatchObject([{ state: 'waiting', next: { what: 'skip' } }]);
    expect(after.messages[0]?.['next']).toMatchObject({ why: 'He is left out when his turn comes: manual.' });
    await world.mine.call('POST', `/v1/suppressions/${id}/remove`, { body: {} });
  });

  it('is found by his place in the audience, and as he stands in the list', async () => {
    const { id } = await storyOf('undelivered');
    const reply = await world.mine.call('GET', `/v1/campaigns/${campaign}/recipients/${id}`);
    expect(reply).toMatchObject({ status: 200, body: { id, number: fates.get('undelivered') } });
    const list = await world.mine.call('GET', `/v1/campaigns/${campaign}/recipients?state=undelivered`);
    expect(list.body['items']).toMatchObject([{ id, reason: '070' }]);
  });

  it('of another account, of no audience or of no campaign is not found', async () => {
    const path = `/v1/campaigns/${campaign}/recipients`;
    const number = fates.get('delivered');
    const find = { body: { number } };
    expect((await world.theirs.call('GET', `${path}/1`)).status).toBe(404);
    expect((await world.theirs.call('POST', `${path}/find`, find)).status).toBe(404);
    expect((await world.mine.call('GET', `${path}/${PEOPLE + 1}`)).status).toBe(404);
    expect((await world.mine.call('POST', `${path}/find`, { body: { number: '+12125559999' } })).status).toBe(
      404,
    );
    const { campaign: draft } = await createDraft(world.mine, 'No audience');
    const other = `/v1/campaigns/${draft}/recipients/find`;
    expect((await world.mine.call('POST', other, find)).status).toBe(404);
    expect((await world.mine.call('GET', `${path}/0`)).status).toBe(400);
  });

  it('is found after his erasure by the keyed hash alone', async () => {
    const number = fates.get('accepted') ?? '';
    await create(world.mine.call, '/v1/suppressions', { number, kind: 'erased' });
    expect(await storyOf('accepted')).toMatchObject({
      number: null,
      firstName: null,
      suppressedAs: 'erased',
      messages: [{ state: 'accepted' }],
    });
  });
});

describe("a contact's timeline", () => {
  it('tells texts, reports, replies and opt-outs over all campaigns, the newest first', async () => {
    const number = fates.get('delivered') ?? '';
    const hash = await inside((trx) =>
      trx
        .selectFrom('recipients')
        .where('number', '=', number)
        .select('number_hash')
        .executeTakeFirstOrThrow(),
    );
    for (const text of ['Thank you!', 'STOP']) {
      await receiveInbound(world.db, {
        carrierAccountId: world.mine.carrierAccountId,
        uuid: text,
        from: number,
        to: '12345',
        text,
        numberHash: hash.number_hash,
      });
    }
    const path = `/v1/contacts/${contacts.get(number)}/timeline`;
    const { body } = await world.mine.call('GET', path);
    const told = (body['items'] as { kind: string; what: string }[]).map(
      ({ kind, what }) => `${kind} ${what}`,
    );
    expect(told.toSorted()).toEqual(
      [
        'reply reply',
        'reply stop',
        'report delivered',
        'report sent',
        'suppression added opt_out',
        'text accepted',
      ].toSorted(),
    );
    expect(told.at(-1)).toBe('text accepted');
    expect(body['items']).toMatchObject([
      {},
      {},
      { kind: 'reply', text: 'Thank you!', campaign: null },
      {},
      {},
      {
        kind: 'text',
        campaign: { id: campaign, name: 'Story' },
        message: { id: message, position: 1 },
        attempt: 1,
      },
    ]);
    const instants = (body['items'] as { at: string }[]).map(({ at }) => at);
    expect(instants).toEqual(instants.toSorted().toReversed());

    const paged: unknown[] = [];
    let cursor = '';
    do {
      const page = await world.mine.call('GET', `${path}?pageSize=2${cursor}`);
      paged.push(...(page.body['items'] as unknown[]));
      const { nextCursor } = page.body;
      cursor = typeof nextCursor === 'string' ? `&cursor=${nextCursor}` : '';
    } while (cursor !== '');
    expect(paged).toEqual(body['items']);
  });

  it('tells why somebody was left out', async () => {
    const path = `/v1/contacts/${contacts.get(fates.get('skipped') ?? '')}/timeline`;
    const { body } = await world.mine.call('GET', path);
    expect(body['items']).toMatchObject([
      { kind: 'left_out', what: 'skipped', reason: 'opt_out', attempt: null },
      { kind: 'suppression', what: 'added opt_out' },
    ]);
  });

  it("of another account's contact is not found, and a cursor of another list is refused", async () => {
    const [id] = contacts.values();
    expect((await world.theirs.call('GET', `/v1/contacts/${id}/timeline`)).status).toBe(404);
    const refused = await world.mine.call('GET', `/v1/contacts/${id}/timeline?cursor=1`);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/query/cursor' }] } });
  });
});
