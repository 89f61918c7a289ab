import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PRESET_FAULTS, type PresetFault } from '../../domain/preset.ts';
import { type ApiWorld, NOON, openApiWorld, type Tenant } from '../api/api-world.ts';
import { createListOf } from '../api/seeded-things.ts';
import { openBranch, openParent, openPreset, pairOf } from './franchise.ts';

/** Amounts and counts that stand nowhere else. */
const LIMIT = 7_654_321;
const SPENT = 8_765_432;
const CONTACTS = 37;

let world: ApiWorld;
let parent: Tenant;
/** With nothing wrong. */
let tahoe: Tenant;
let reno: Tenant;
let path: string;

beforeAll(async () => {
  world = await openApiWorld();
});
beforeEach(async () => {
  world.clock.at = NOON;
  parent = await openParent(world);
  tahoe = await openBranch(world, parent, 'Tahoe');
  reno = await openBranch(world, parent, 'Reno');
  path = await openPreset(parent, 'All bakeries', [pairOf(reno), pairOf(tahoe)]);
});
afterAll(() => world.close());

interface Shown {
  readonly accountId: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly lists: readonly { readonly id: string; readonly name: string | null }[];
  readonly faults: readonly { readonly code: PresetFault; readonly message: string }[];
}

async function accounts(query = ''): Promise<Shown[]> {
  const { status, body } = await parent.call('GET', `${path}/accounts${query}`);
  expect(status).toBe(200);
  return [...(body['items'] as readonly Shown[])];
}

/** The codes of what is wrong with Reno, as the list of accounts has them; the counts have to agree. */
async function faultsOfReno(): Promise<PresetFault[]> {
  const shown = await accounts();
  const found = shown.find(({ accountId }) => accountId === reno.accountId)?.faults ?? [];
  expect(found).toEqual(found.map(({ code }) => ({ code, message: PRESET_FAULTS[code] })));
  const faulty = shown.filter(({ faults }) => faults.length > 0).length;
  const { body } = await parent.call('GET', path);
  expect(body).toMatchObject({ accounts: 2, lists: 2, faulty });
  expect((await accounts('?faulty=true')).map((one) => one.faults)).toEqual(faulty === 0 ? [] : [found]);
  return found.map(({ code }) => code);
}

function sql(text: string, ...values: readonly unknown[]): Promise<unknown> {
  return world.owner.query(text, [...values]);
}

const spend = (month: string, micro: number) =>
  sql('insert into spend_months values ($1, $2, $3)', reno.accountId, month, micro);
const limit = (micro: number | null) =>
  sql('update accounts set spend_limit_micro_usd = $2 where id = $1', reno.accountId, micro);
const sender = (change: string) => sql(`update senders set ${change} where id = $1`, reno.senderId);
const creditAlert = (resolved: boolean) =>
  sql(
    `insert into alerts (id, account_id, kind, severity, subject_kind, subject_id, cause, reason, remedy, resolved_at)
     values ($1, $2, 'carrier_trouble', 'critical', 'carrier_account', $3, 'credit', 'r', 'r', $4)`,
    `alt_${reno.accountId}`,
    reno.accountId,
    reno.carrierAccountId,
    resolved ? new Date(NOON) : null,
  );

const SPOILED: readonly (readonly [PresetFault, string, () => Promise<unknown>])[] = [
  ['account_left', 'it has left', () => reno.call('POST', '/v1/account/leave-parent')],
  [
    'account_disabled',
    'it is disabled',
    () => parent.call('POST', `/v1/accounts/${reno.accountId}/disable`, { body: { reason: 'Closed.' } }),
  ],
  ['no_sender', 'it has no sender', () => sql('delete from senders where id = $1', reno.senderId)],
  ['no_sender', 'its sender is disabled', () => sender('disabled_at = now()')],
  ['no_sender', 'its sender is not approved yet', () => sender(`registration = 'pending'`)],
  ['registration_lapsed', 'its registration was withdrawn', () => sender(`registration = 'lapsed'`)],
  [
    'registration_lapsed',
    'the last day of its registration is over',
    () => sender(`registration_expires_on = '2027-01-11'`),
  ],
  ['list_gone', 'its list is deleted', () => reno.call('DELETE', `/v1/lists/${reno.listId}`)],
  [
    'no_credit',
    'its spend limit is reached',
    async () => {
      await limit(LIMIT);
      await spend('2027-01', LIMIT);
    },
  ],
  ['no_credit', 'it may spend nothing at all', () => limit(0)],
  ['no_credit', 'the carrier account of its sender is out of credit', () => creditAlert(false)],
];

const HARMLESS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['today is the last day of its registration', () => sender(`registration_expires_on = '2027-01-12'`)],
  [
    'there is room below its spend limit',
    async () => {
      await limit(LIMIT);
      await spend('2027-01', LIMIT - 1);
    },
  ],
  [
    'the limit was reached last month',
    async () => {
      await limit(LIMIT);
      await spend('2026-12', SPENT);
    },
  ],
  ['it has spent without a limit', () => spend('2027-01', SPENT)],
  ['the carrier account has been topped up', () => creditAlert(true)],
  [
    'one of its senders is fit',
    () =>
      sql(
        `insert into senders (id, account_id, address, type, supports_mms, registration, carrier_account_id)
         values ('snd_lapsed' || $1, $1, '54321', 'short_code', false, 'lapsed', $2)`,
        reno.accountId,
        reno.carrierAccountId,
      ),
  ],
];

describe('a sub-account in a preset', () => {
  test.each(SPOILED)('is shown as %s alone where %s', async (code, _where, spoil) => {
    expect(await faultsOfReno()).toEqual([]);
    await spoil();
    expect(await faultsOfReno()).toEqual([code]);
  });

  test.each(HARMLESS)('has no fault where %s', async (_where, change) => {
    await change();
    expect(await faultsOfReno()).toEqual([]);
  });

  test('has every fault that it has, together', async () => {
    await sender('disabled_at = now()');
    await limit(0);
    await reno.call('DELETE', `/v1/lists/${reno.listId}`);
    await parent.call('POST', `/v1/accounts/${reno.accountId}/disable`, { body: { reason: 'Closed.' } });
    expect(await faultsOfReno()).toEqual(['account_disabled', 'no_sender', 'list_gone', 'no_credit']);
  });

  test('reaches its spend limit by the month in its own time zone', async () => {
    await limit(LIMIT);
    await spend('2027-02', SPENT);
    // Noon in London on the last day of January: it is February on Kiritimati only.
    world.clock.at = Date.parse('2027-01-31T12:00:00Z');
    expect(await faultsOfReno()).toEqual([]);
    await sql(`update accounts set time_zone = 'Pacific/Kiritimati' where id = $1`, reno.accountId);
    expect(await faultsOfReno()).toEqual(['no_credit']);
  });

  test('lapses with the last day of its registration in UTC', async () => {
    await sender(`registration_expires_on = '2027-01-31'`);
    world.clock.at = Date.parse('2027-01-31T23:59:59Z');
    expect(await faultsOfReno()).toEqual([]);
    world.clock.at = Date.parse('2027-02-01T00:00:00Z');
    expect(await faultsOfReno()).toEqual(['registration_lapsed']);
  });

  test('that has left is told by its id and nothing else, and comes last', async () => {
    await sender('disabled_at = now()');
    await reno.call('PATCH', '/v1/account', { body: { name: 'A new name' } });
    await reno.call('POST', '/v1/account/leave-parent');
    const [first, last] = await accounts();
    expect(first?.accountId).toBe(tahoe.accountId);
    expect(last).toEqual({
      accountId: reno.accountId,
      name: null,
      timeZone: null,
      lists: [{ id: reno.listId, name: null }],
      faults: [{ code: 'account_left', message: PRESET_FAULTS.account_left }],
    });
  });

  test('shows the lists that are there beside one that is gone', async () => {
    const listId = await createListOf(parent, reno.accountId, 'Guests');
    const body = { pairs: [{ accountId: reno.accountId, listId }] };
    await parent.call('POST', `${path}/pairs`, { body });
    await reno.call('DELETE', `/v1/lists/${reno.listId}`);
    const [first] = await accounts('?faulty=true');
    expect(first).toMatchObject({
      lists: [
        { id: listId, name: 'Guests' },
        { id: reno.listId, name: null },
      ],
      faults: [{ code: 'list_gone' }],
    });
  });

  test('tells its parent no count and no amount, whatever is wrong with it', async () => {
    await limit(LIMIT);
    await spend('2027-01', SPENT);
    await creditAlert(false);
    await sql(
      `insert into contacts (account_id, number, number_hash, country)
       select $1, '+1415555' || n, decode(md5(n::text), 'hex'), 'US' from generate_series(1001, 1000 + $2::int) n`,
      reno.accountId,
      CONTACTS,
    );
    await sql(
      'insert into list_members select $1, $2, id from contacts where account_id = $1',
      reno.accountId,
      reno.listId,
    );
    const [first] = await accounts('?faulty=true');
    expect(Object.keys(first ?? {}).toSorted()).toEqual(['accountId', 'faults', 'lists', 'name', 'timeZone']);
    expect(Object.keys(first?.lists[0] ?? {}).toSorted()).toEqual(['id', 'name']);
    const { body: preset } = await parent.call('GET', path);
    expect(preset).toMatchObject({ accounts: 2, lists: 2, faulty: 1, version: 2 });
    const { body: page } = await parent.call('GET', '/v1/presets');
    for (const answer of [first, preset, page].map((one) => withoutIds(JSON.stringify(one)))) {
      const figures = [LIMIT, SPENT, SPENT - LIMIT, CONTACTS].map(String);
      expect(figures.filter((figure) => answer.includes(figure))).toEqual([]);
    }
    // Of the sub-account itself nothing is a number at all.
    expect(JSON.stringify(first).replaceAll(/"[^"]*"/g, '')).not.toMatch(/\d/);
  });
});

/** Ids and instants hold any digits. */
function withoutIds(text: string): string {
  return text.replaceAll(/(acc|lst|pre)_[0-9a-z]+|\d{4}-\d\d-\d\dT[\d:.]+Z/g, '');
}

describe('the sub-accounts of a preset', () => {
  test('come by name in pages, are found by a part of it, and by whether something is wrong', async () => {
    await sender('disabled_at = now()');
    const names = async (query: string) => (await accounts(query)).map(({ name }) => name);
    expect(await names('')).toEqual(['Reno', 'Tahoe']);
    expect(await names('?pageSize=1&page=2')).toEqual(['Tahoe']);
    expect(await names('?q=AHO')).toEqual(['Tahoe']);
    expect(await names('?faulty=true')).toEqual(['Reno']);
    expect(await names('?faulty=false')).toEqual(['Tahoe']);
    expect(await names('?faulty=true&q=aho')).toEqual([]);
    const beyond = await parent.call('GET', `${path}/accounts?page=9`);
    expect(beyond.body).toMatchObject({ items: [], total: 2, pages: 1 });
    const bad = await parent.call('GET', `${path}/accounts?faulty=perhaps`);
    expect(bad).toMatchObject({ status: 400, body: { errors: [{ pointer: '/query/faulty' }] } });
  });

  test('are those of the preset that is asked for, of several that share them', async () => {
    const other = await openPreset(parent, 'The lake', [pairOf(tahoe)]);
    await sender('disabled_at = now()');
    expect((await parent.call('GET', `${other}/accounts`)).body).toMatchObject({ total: 1 });
    expect((await parent.call('GET', '/v1/presets')).body['items']).toMatchObject([
      { name: 'All bakeries', accounts: 2, lists: 2, faulty: 1 },
      { name: 'The lake', accounts: 1, lists: 1, faulty: 0 },
    ]);
  });

  test('are told to nobody but the parent: its functions look into presets of the caller alone', async () => {
    const presetId = path.split('/').at(-1);
    await world.owner.query('begin');
    await world.owner.query(`select set_config('app.account', $1, true)`, [world.theirs.accountId]);
    const asked = [
      await world.owner.query(`select * from preset_accounts(array[$1], '2027-01-12', '{}')`, [presetId]),
      await world.owner.query('select * from preset_lists($1, array[$2])', [presetId, reno.accountId]),
      await world.owner.query('select * from preset_zones(array[$1])', [presetId]),
      await world.owner.query('select * from add_pairs($1, array[$2], array[$3])', [
        presetId,
        reno.accountId,
        reno.listId,
      ]),
    ];
    await world.owner.query('rollback');
    expect(asked.map(({ rows }) => rows)).toEqual([[], [], [], []]);
  });
});
