import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient, type ApiClient } from '../../dev/demo/api-client.ts';
import { findTemporalCli } from '../../dev/temporal-binaries.ts';
import { until } from '../../dev/until.ts';
import { FAILURES_MIN } from '../../domain/dispatch/circuit.ts';
import { campaignWorkflowId } from '../../workflows/contract.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

interface Line {
  readonly by: { readonly id: string; readonly kind: string; readonly name: string | null };
  readonly via: string;
  readonly what: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly from: unknown;
  readonly to: unknown;
  readonly actionId: string | null;
}
interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly cause: string;
  readonly state: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly count: number;
}

const run = promisify(execFile);
let world: SystemWorld;
let listId: string;
let asAlex: ApiClient;

beforeAll(async () => {
  world = await startSystemWorld();
  listId = await world.list('Everybody', numbers(12, '415'));
  const { key } = await world.api.post<{ key: string }>('/v1/keys', {
    name: 'Console',
    scopes: ['read', 'write', 'send'],
  });
  asAlex = createApiClient(world.system.current().urls.api, key, { 'carillon-person': world.personId });
});
afterAll(() => world.stop());

const act = (id: string, name: string, body: unknown = {}) =>
  asAlex.post<{ id: string; state: string }>(`/v1/campaigns/${id}/${name}`, body);

async function log(path: string, api: ApiClient = world.api): Promise<readonly Line[]> {
  const page = await api.get<{ items: readonly Line[]; nextCursor: string | null }>(path);
  expect(page.nextCursor).toBeNull();
  return page.items;
}

async function alerts(query: string, api: ApiClient = world.api): Promise<readonly Alert[]> {
  return (await api.get<{ items: readonly Alert[] }>(`/v1/alerts?${query}`)).items;
}

/** A campaign that is launched and waits for its time, tomorrow. */
async function waiting(name: string): Promise<string> {
  const draft = await world.draft(name, listId, ['Hi {{firstName}}']);
  const tomorrow = new Date(Date.now() + 30 * 3_600_000).toISOString().slice(0, 16);
  await world.api.patch(`/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`, {
    schedule: { local: tomorrow, zone: 'Etc/UTC' },
  });
  await act(draft.id, 'launch', { start: 'scheduled' });
  await world.reaches(draft.id, 'scheduled');
  return draft.id;
}

describe('the log', () => {
  it('tells a campaign from its first word to its end: who, what, from, to, by which way, with the action', async () => {
    const draft = await world.draft('Told', listId, ['Hi {{firstName}}']);
    const launch = await act(draft.id, 'launch', { start: 'now' });
    await world.reaches(draft.id, 'finished');
    const lines = await log(`/v1/campaigns/${draft.id}/log?order=asc`);
    expect(lines.map(({ what, by, from, to }) => [what, by.kind, from, to])).toEqual([
      ['create', 'key', null, null],
      ['create', 'key', null, null],
      ['launch', 'person', 'draft', 'processing'],
      ['prepare', 'system', 'processing', 'scheduled'],
      ['freeze', 'system', null, null],
      ['begin', 'system', 'scheduled', 'sending'],
      ['progress', 'system', 'scheduled', 'started'],
      ['end', 'system', 'sending', 'sent'],
      ['finish', 'system', 'started', 'finished'],
    ]);
    expect(lines[2]).toMatchObject({
      by: { id: world.personId, name: 'Alex' },
      key: { name: 'Console' },
      via: 'api',
      actionId: launch.id,
    });
  });

  it("names what came from Temporal's command line, what was refused, and what the workflow made of an order", async () => {
    const id = await waiting('Signalled');
    const { temporalAddress } = world.system.current().urls;
    const binary = await findTemporalCli({ env: process.env, progress: () => undefined });
    const signal = (name: string) =>
      run(binary, [
        'workflow',
        'signal',
        '--address',
        temporalAddress,
        '--workflow-id',
        campaignWorkflowId(id),
        '--name',
        name,
      ]);
    await signal('pause');
    await world.reaches(id, 'paused');
    await signal('pause');
    // A signal has no answer, and one that came after the resumption would pause again.
    await until(
      () => log(`/v1/campaigns/${id}/log?what=pause.ignored`),
      (found) => found.length === 1,
    );
    await act(id, 'resume');
    await world.reaches(id, 'scheduled');
    const lines = await until(
      () =>
        log(
          `/v1/campaigns/${id}/log?order=asc&what=pause&what=pause.ignored&what=resume.ordered&what=resume`,
        ),
      (found) => found.length === 4,
    );
    expect(lines.map(({ what, by, via }) => [what, by.id, via])).toEqual([
      ['pause', 'temporal', 'temporal'],
      ['pause.ignored', 'temporal', 'temporal'],
      ['resume.ordered', world.personId, 'api'],
      ['resume', world.personId, 'api'],
    ]);
    expect(lines[3]).toMatchObject({ from: 'paused', to: 'scheduled', actionId: lines[2]?.actionId });
    await act(id, 'abort');
  });

  it('is changed by nobody, not even in SQL with the rights of the application', async () => {
    const { database } = world.system.current().urls;
    const client = new Client({ connectionString: database, options: '-c role=carillon_app' });
    await client.connect();
    try {
      await client.query(`select set_config('app.account', $1, false)`, [world.accountId]);
      const { rows } = await client.query<{ lines: number }>('select count(*)::int as lines from log');
      expect(rows[0]?.lines).toBeGreaterThan(10);
      for (const statement of [`update log set who = 'nobody'`, 'delete from log', 'truncate log']) {
        await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
      }
    } finally {
      await client.end();
    }
  });
});

describe('an alert', () => {
  it('of a suspension stands until the campaign is resumed, is taken by somebody, and is nobody else’s', async () => {
    const id = await waiting('To suspend');
    await world.api.patch(`/v1/senders/${world.senderId}`, { disabled: true });
    await world.reaches(id, 'suspended');
    const [alert] = await alerts(`campaignId=${id}&state=open`);
    expect(alert).toMatchObject({ kind: 'suspension', cause: 'sender_disabled', count: 1 });
    const view = await world.api.get<{ alerts: readonly Alert[] }>(`/v1/campaigns/${id}`);
    expect(view.alerts).toEqual([alert]);
    expect(await asAlex.post(`/v1/alerts/${alert?.id}/acknowledge`, {})).toMatchObject({
      state: 'acknowledged',
      acknowledgedBy: { name: 'Alex' },
    });

    const other = await world.operator.post<{ id: string }>('/v1/accounts', {
      name: 'Other',
      senderName: 'Other',
      timeZone: 'Etc/UTC',
      defaultCountry: 'US',
    });
    const { urls, firstKeys } = world.system.current();
    const theirs = createApiClient(urls.api, firstKeys?.operatorKey ?? '', { 'carillon-account': other.id });
    expect(await alerts('', theirs)).toEqual([]);
    await expect(theirs.get(`/v1/alerts/${alert?.id}`)).rejects.toThrow('answered 404');
    await expect(theirs.post(`/v1/alerts/${alert?.id}/acknowledge`, {})).rejects.toThrow('answered 404');
    await expect(theirs.get(`/v1/campaigns/${id}/log`)).rejects.toThrow('answered 404');

    await world.api.patch(`/v1/senders/${world.senderId}`, { disabled: false });
    expect(await alerts(`campaignId=${id}&state=resolved`)).toEqual([]);
    await act(id, 'resume');
    await world.reaches(id, 'scheduled');
    expect(await alerts(`campaignId=${id}&state=resolved`)).toMatchObject([{ id: alert?.id }]);
    await act(id, 'abort');
  });

  it('tells that a carrier answers with errors, once for all of them, on the campaign too, until it takes texts again', async () => {
    // As many as it takes to leave the carrier alone; of more people the rest would wait for probes.
    const few = await world.list('A few', numbers(FAILURES_MIN, '212'));
    await world.sandbox.post('/sandbox/faults', { fault: 'http_503', count: FAILURES_MIN });
    const draft = await world.draft('Troubled', few, ['Hi {{firstName}}, are you there?']);
    await act(draft.id, 'launch', { start: 'now' });
    const [alert] = await until(
      () => alerts('kind=carrier_trouble'),
      (found) => found.length > 0,
    );
    expect(alert).toMatchObject({ cause: 'server_error', subject: { kind: 'carrier_account' }, count: 1 });
    const finished = await world.reaches(draft.id, 'finished');
    expect(finished.report).toMatchObject({ accepted: 0, unknown: FAILURES_MIN });
    const view = await world.api.get<{ alerts: readonly Alert[] }>(`/v1/campaigns/${draft.id}`);
    expect(view.alerts.map(({ id }) => id)).toContain(alert?.id);

    const next = await world.draft('Well again', few, ['Hi {{firstName}}, here we are again.']);
    await act(next.id, 'launch', { start: 'now' });
    await world.reaches(next.id, 'finished');
    const left = await until(
      () => alerts('state=open&kind=carrier_trouble'),
      (found) => found.length === 0,
    );
    expect(left).toEqual([]);
  });

  it('of credit that ran out is the account’s and the operator’s, beside the suspended campaign’s', async () => {
    await world.sandbox.post('/sandbox/faults', { fault: 'http_402' });
    const draft = await world.draft('Without credit', listId, ['Hi {{firstName}}, buy now']);
    await act(draft.id, 'launch', { start: 'now' });
    await world.reaches(draft.id, 'suspended');
    const open = await alerts('state=open&severity=critical');
    expect(new Set(open.map(({ kind, cause }) => `${kind} ${cause}`))).toEqual(
      new Set(['carrier_trouble credit', 'suspension credit']),
    );
    const told = await until(
      () => alerts('state=open&kind=carrier_trouble', world.operator),
      (found) => found.some(({ cause }) => cause === 'credit'),
    );
    expect(told.find(({ cause }) => cause === 'credit')).toMatchObject({
      subject: { kind: 'carrier_account' },
    });
    const response = await fetch(`${world.system.current().urls.sandbox}/sandbox/faults`, {
      method: 'DELETE',
    });
    expect(response.ok).toBe(true);
    await act(draft.id, 'resume');
    await world.reaches(draft.id, 'finished');
    // The trouble is over once texts are taken again, a little later.
    const left = await until(
      () => alerts('state=open&severity=critical'),
      (found) => found.length === 0,
    );
    expect(left).toEqual([]);
  });

  it('of hours that make a message wait is gone when they are changed back', async () => {
    const id = await waiting('Waits');
    const { messages } = await world.api.get<{
      messages: readonly { readonly id: string; readonly dueAt: string }[];
    }>(`/v1/campaigns/${id}`);
    const hour = Number(messages[0]?.dueAt.slice(11, 13));
    const clock = (at: number): string => `${String(at % 24).padStart(2, '0')}:00`;
    await world.api.patch('/v1/account', { quietHours: { start: clock(hour), end: clock(hour + 2) } });
    expect(await alerts(`campaignId=${id}&state=open`)).toMatchObject([
      { kind: 'hours_changed', subject: { kind: 'message', id: messages[0]?.id } },
    ]);
    await world.api.patch('/v1/account', { quietHours: { start: '00:00', end: '00:00' } });
    expect(await alerts(`campaignId=${id}&state=open`)).toEqual([]);
    await act(id, 'abort');
  });

  it('of a registration near its end is gone once that is renewed', async () => {
    const inDays = (days: number): string =>
      new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const sender = `/v1/senders/${world.senderId}`;
    await expect(world.api.patch(sender, { registrationExpiresOn: inDays(-2) })).rejects.toThrow(
      'not-acceptable-value',
    );
    await world.api.patch(sender, { registrationExpiresOn: inDays(5) });
    expect(await alerts('kind=registration_lapsing&state=open')).toMatchObject([
      { cause: 'registration_expires', subject: { kind: 'sender', id: world.senderId } },
    ]);
    await world.api.patch(sender, { registrationExpiresOn: inDays(365) });
    expect(await alerts('kind=registration_lapsing&state=open')).toEqual([]);
  });

  it('of refused content is gone once the message is edited', async () => {
    await world.operator.post('/v1/refused-phrases', {
      phrase: 'easy money',
      reason: 'It promises too much.',
      effectiveFrom: '2026-01-01',
    });
    const draft = await world.draft('Refused', listId, ['Easy money, {{firstName}}!']);
    await act(draft.id, 'launch', { start: 'now' });
    await world.reaches(draft.id, 'rejected');
    expect(await alerts(`campaignId=${draft.id}&state=open`)).toMatchObject([{ kind: 'content_rejected' }]);
    await world.api.patch(`/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`, { text: 'Hello' });
    expect(await alerts(`campaignId=${draft.id}&state=open`)).toEqual([]);
  });

  it('of an import with many refused rows says how many', async () => {
    const started = await world.api.post<{ id: string }>('/v1/imports', { listIds: [listId] });
    const content = ['Mobile', ...Array.from({ length: 15 }, (_, row) => `nobody ${row}`)].join('\n');
    await world.api.send('PUT', `/v1/imports/${started.id}/content`, Buffer.from(content), 'text/csv');
    const [alert] = await until(
      () => alerts('kind=import_refusals'),
      (found) => found.length > 0,
    );
    expect(alert).toMatchObject({ subject: { kind: 'import', id: started.id }, cause: 'rows_refused' });
  });
});
