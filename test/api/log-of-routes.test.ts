import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld, type Route, routesOf, type Tenant } from './api-world.ts';
import { pathWith, ROUTE_CASES } from './route-table.ts';
import { createRejectedPart } from './launched-central.ts';
import { failFirst } from './failed-recipient.ts';
import { create, createPair, createThings, PIXEL, type Things } from './seeded-things.ts';

/** Routes that only look, although they are POSTs; a route that changes something never belongs here. */
const CHANGES_NOTHING: Readonly<Record<string, string>> = {
  findContact: 'It looks for a number, which may not stand in a URL.',
  findSuppressions: 'As above.',
  findRecipient: 'As above.',
  listSuppressionHistory: 'As above.',
  previewMessage: 'It shows how a text would look.',
  receiveStatus: "The carrier's report on a text, which the ledger keeps.",
  receiveInbound: "A contact's own text, which is kept with its meaning.",
};

/** What a route needs beside one of everything: a state to come from, or a thing of the installation. */
interface Setting {
  readonly tenant: Tenant;
  readonly things: Things;
}
type Preparation = (setting: Setting) => Promise<void | { readonly path?: string; readonly body?: unknown }>;

const launchedIs = (status: string): Preparation => {
  return async ({ things }) => {
    await world.owner.query(`update campaigns set status = $1, prepared_at = launched_at where id = $2`, [
      status,
      things.launched,
    ]);
  };
};
const withCentralSend: Preparation = async ({ tenant }) => {
  await world.operator('PUT', `/v1/accounts/${tenant.accountId}/central-send`, { body: { enabled: true } });
};
const withParent: Preparation = async ({ tenant }) => {
  const { accountId: parentId } = await world.openTenant();
  await world.operator('PUT', `/v1/accounts/${tenant.accountId}/parent`, { body: { parentId } });
};
const LATER = { local: '2027-01-14T12:00', zone: 'America/New_York' };
const newSchedules = (things: Things) => ({
  messages: [{ messageId: things.launchedMessage, schedule: LATER }],
});

const PREPARED: Readonly<Record<string, Preparation>> = {
  startCampaign: launchedIs('ready'),
  withdrawCampaign: launchedIs('scheduled'),
  resumeCampaign: async ({ tenant, things }) => {
    await tenant.call('POST', `/v1/campaigns/${things.launched}/pause`, { body: {} });
  },
  rescheduleCampaign: async (setting) => {
    await launchedIs('scheduled')(setting);
    return { body: newSchedules(setting.things) };
  },
  restartCampaign: async (setting) => {
    await launchedIs('stopped')(setting);
    await world.owner.query(`update messages set status = 'cancelled' where id = $1`, [
      setting.things.launchedMessage,
    ]);
    return { body: newSchedules(setting.things) };
  },
  overruleCampaign: async ({ things }) => {
    await world.owner.query(`update campaigns set status = 'rejected' where id = $1`, [things.campaign]);
  },
  orderRound: async (setting) => {
    await launchedIs('finished')(setting);
    await failFirst(world.owner, setting.things.launchedMessage);
  },
  unarchiveCampaign: async ({ tenant, things }) => {
    await tenant.call('POST', `/v1/campaigns/${things.campaign}/archive`, { body: {} });
  },
  testMessage: async ({ things }) => {
    await world.owner.query('update gates set holds = 0 where scope_id = $1', [things.sender]);
  },
  disableAccount: async ({ tenant }) => ({
    path: `/v1/accounts/${(await createPair(tenant)).accountId}/disable`,
  }),
  enableAccount: async ({ tenant }) => {
    const { accountId } = await createPair(tenant);
    const body = { reason: 'It is for sale.' };
    await tenant.call('POST', `/v1/accounts/${accountId}/disable`, { body });
    return { path: `/v1/accounts/${accountId}/enable` };
  },
  setParent: async ({ tenant }) => {
    const { accountId } = await createPair(tenant);
    return { path: `/v1/accounts/${accountId}/parent` };
  },
  setCentralSend: ({ tenant }) => Promise.resolve({ path: `/v1/accounts/${tenant.accountId}/central-send` }),
  leaveParent: withParent,
  setGrants: withParent,
  retryCampaignAccount: async (setting) => {
    await withCentralSend(setting);
    return { path: await createRejectedPart(world, setting.tenant, await createPair(setting.tenant)) };
  },
  createPreset: withCentralSend,
  updatePreset: withCentralSend,
  deletePreset: withCentralSend,
  addPairs: async (setting) => {
    await withCentralSend(setting);
    return { body: { pairs: [await createPair(setting.tenant)] } };
  },
  removePairs: async (setting) => {
    await withCentralSend(setting);
    const body = { pairs: [await createPair(setting.tenant)] };
    await setting.tenant.call('POST', `/v1/presets/${setting.things.preset}/pairs`, { body });
    return { body };
  },
  importPairs: async (setting) => {
    await withCentralSend(setting);
    const { accountId, listId } = await createPair(setting.tenant);
    return { body: `account,list\n${accountId},${listId}\n` };
  },
  uploadMedia: () => Promise.resolve({ body: PIXEL }),
  putImportContent: () => Promise.resolve({ body: 'number\n+12125552003\n' }),
  updateCarrierAccount: ({ tenant }) =>
    Promise.resolve({ path: `/v1/carrier-accounts/${tenant.carrierAccountId}` }),
  removeRefusedPhrase: async () => ({
    path: `/v1/refused-phrases/${await create(world.operator, '/v1/refused-phrases', {
      phrase: 'easy money',
      reason: 'It promises.',
      effectiveFrom: '2026-01-01',
    })}`,
  }),
  updateOperatorKey: async () => ({ path: await operatorKey() }),
  rotateOperatorKey: async () => ({ path: `${await operatorKey()}/rotate` }),
  revokeOperatorKey: async () => ({ path: await operatorKey() }),
};

async function operatorKey(): Promise<string> {
  return `/v1/operator-keys/${await create(world.operator, '/v1/operator-keys', { name: 'Another' })}`;
}

interface Line {
  readonly account: string;
  readonly who: string;
  readonly key: string | null;
  readonly via: string;
  readonly what: string;
  readonly subject: string;
  readonly line: string;
}

let world: ApiWorld;
let changing: Route[];

beforeAll(async () => {
  world = await openApiWorld();
  changing = routesOf(world.document).filter(
    ({ method, operation }) => method !== 'GET' && !(String(operation.operationId) in CHANGES_NOTHING),
  );
});
afterAll(() => world.close());

const idOf = (route: Route): string => String(route.operation.operationId);

/** Sends what the route takes, and gives the lines that this left. */
async function linesOf(route: Route): Promise<{ status: number; setting: Setting; lines: Line[] }> {
  const id = idOf(route);
  const tenant = await world.openTenant();
  const setting = { tenant, things: await createThings(tenant) };
  const given = (await PREPARED[id]?.(setting)) ?? {};
  const { rows: latest } = await world.owner.query<{ id: number }>(
    'select coalesce(max(id), 0)::int as id from log',
  );
  const guard = ROUTE_CASES[id];
  const byOperator = guard?.scope === 'operator';
  const call = byOperator || guard?.operatorOnly === true ? world.operator : tenant.call;
  const reply = await call(route.method, given.path ?? pathWith(route, setting.things), {
    body: given.body ?? guard?.body?.(setting.things),
    headers: byOperator
      ? {}
      : guard?.operatorOnly === true
        ? { 'carillon-account': tenant.accountId }
        : { 'carillon-person': tenant.personId },
  });
  const { rows: lines } = await world.owner.query<Line>(
    `select account_id as account, who, key_id as key, via, what, subject_kind as subject, l::text as line
     from log l where id > $1 order by id`,
    [latest[0]?.id ?? 0],
  );
  return { status: reply.status, setting, lines };
}

describe('every route that changes something', () => {
  test('leaves a line that says who did it with which key, in the log of whom it belongs to', async () => {
    expect(changing.length).toBeGreaterThan(40);
    const faults: string[] = [];
    const written: string[] = [];
    for (const route of changing) {
      const { status, setting, lines } = await linesOf(route);
      const { accountId, personId } = setting.tenant;
      const byOperator = ROUTE_CASES[idOf(route)]?.scope === 'operator';
      const own = lines.filter((line) => line.account === (byOperator ? 'operator' : accountId));
      written.push(...lines.map((line) => line.line));
      const hasActor = own.every((line) => line.who === personId || line.who.startsWith('key_'));
      const isKeyed = own.every((line) => line.key?.startsWith('key_') === true && line.via === 'api');
      if (status >= 300) faults.push(`${idOf(route)} answers ${status}`);
      else if (own.length === 0) faults.push(`${idOf(route)} leaves no line`);
      else if (!hasActor || !isKeyed) faults.push(`${idOf(route)} does not say who did it`);
    }
    expect(faults).toEqual([]);
    // The log outlasts everybody who asks to be forgotten, and is read by everybody who may read.
    const texts = [
      '+1212',
      '2125552',
      'Sam',
      'Robin',
      'robin@',
      'Owner',
      'reply STOP',
      'Changed',
      'secret',
      'crl_',
    ];
    const leaked = texts.filter((text) => written.some((line) => line.includes(text)));
    expect(leaked).toEqual([]);
  }, 240_000);

  test('leaves no line when it is refused', async () => {
    const tenant = await world.openTenant();
    const things = await createThings(tenant);
    const count = async () => {
      const { rows } = await world.owner.query<{ count: number }>('select count(*)::int as count from log');
      return rows[0]?.count;
    };
    const before = await count();
    const refused = [
      await tenant.call('PATCH', `/v1/people/${things.person}`, {
        body: { name: 'B' },
        headers: { 'if-match': '"7"' },
      }),
      await tenant.call('POST', `/v1/campaigns/${things.campaign}/pause`, { body: {} }),
      await tenant.call('POST', '/v1/lists', { body: { name: 'Regulars' } }),
      await tenant.call('DELETE', `/v1/contacts/${things.contact}`, { headers: { 'if-match': '"7"' } }),
      await tenant.call('POST', '/v1/refused-phrases', { body: {} }),
    ];
    expect(refused.map((reply) => reply.status)).toEqual([412, 409, 409, 412, 403]);
    expect(await count()).toBe(before);
  });

  test('leaves no line when it changes nothing, and one when it does', async () => {
    const tenant = await world.openTenant();
    const update = async (body: unknown) => {
      expect((await tenant.call('PATCH', '/v1/account', { body })).status).toBe(200);
      const { body: log } = await tenant.call('GET', '/v1/log?what=update&subjectKind=account&order=asc');
      return log['items'] as readonly {
        readonly from: unknown;
        readonly to: unknown;
        readonly detail: unknown;
      }[];
    };
    expect(await update({ timeZone: 'America/New_York' })).toEqual([]);
    expect(await update({ quietHours: { start: '21:00', end: '08:00' }, prefix: 'Harbour: ' })).toMatchObject(
      [
        {
          from: { quietHours: { start: '20:00', end: '08:00' } },
          to: { quietHours: { start: '21:00', end: '08:00' } },
          detail: { fields: ['quietHours', 'prefix'] },
        },
      ],
    );
  });

  test('of an operator in an account is in that account’s log, as an operator’s', async () => {
    const made = await world.operator('POST', '/v1/accounts', {
      body: { name: 'New', timeZone: 'UTC', senderName: 'New', defaultCountry: 'US' },
    });
    const headers = { 'carillon-account': String(made.body['id']) };
    await world.operator('POST', '/v1/lists', { body: { name: 'One' }, headers });
    const { body } = await world.operator('GET', '/v1/log?order=asc', { headers });
    expect(body['items']).toMatchObject([
      {
        what: 'create',
        subject: { kind: 'account', id: made.body['id'] },
        by: { kind: 'operator', name: null },
      },
      {
        what: 'create',
        subject: { kind: 'list' },
        to: { name: 'One' },
        by: { kind: 'operator', name: null },
      },
    ]);
    const { body: installation } = await world.operator('GET', '/v1/log?pageSize=1');
    expect(installation['items']).toMatchObject([
      {
        what: 'create',
        subject: { kind: 'account', id: made.body['id'] },
        by: { kind: 'key', name: 'Test' },
      },
    ]);
  });
});
