import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { type CampaignBody, numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const ZONE = 'America/New_York';
const HOUR_MS = 3_600_000;

let world: SystemWorld;
let listId: string;
beforeAll(async () => {
  world = await startSystemWorld();
  listId = await world.list('Regulars', numbers(30, '415'));
});
afterAll(async () => {
  await world.stop();
});

const inHours = (hours: number) => ({
  local: toLocal(Date.now() + hours * HOUR_MS, ZONE).slice(0, 16),
  zone: ZONE,
});
const patch = async (
  path: string,
  body: unknown,
): Promise<CampaignBody & { status: number; code: string }> => {
  const response = await fetch(world.system.current().urls.api + path, {
    method: 'PATCH',
    headers: { ...(await authorization()), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as CampaignBody & { status: number; code: string };
};
const authorization = async () => {
  const { key } = await world.api.post<{ key: string }>('/v1/keys', {
    name: 'Tests',
    scopes: ['read', 'write', 'send'],
  });
  return { authorization: `Bearer ${key}` };
};
const act = (id: string, name: string, body: unknown = {}) =>
  world.api.post<{ state: string; inFlight: number }>(`/v1/campaigns/${id}/${name}`, body);
const names = async (query: string): Promise<(string | null)[]> => {
  const page = await world.api.get<{ items: { name: string | null }[] }>(`/v1/campaigns?${query}`);
  return page.items.map((item) => item.name);
};

describe('SMS campaigns, as their users describe them', () => {
  it('send scheduled messages to a targeted list, one or several in a sequence, with control over their times', async () => {
    const draft = await world.draft('Sequence', listId, ['First {{firstName}}', 'Second']);
    const [, second] = draft.messages;
    const soon = { local: toLocal(Date.now() + 4_000, ZONE), zone: ZONE };
    await patch(`/v1/campaigns/${draft.id}/messages/${second?.id}`, { schedule: soon });
    await act(draft.id, 'launch', { start: 'now' });
    const finished = await world.reaches(draft.id, 'finished');
    expect(finished.messages.map((message) => [message.status, message.report.accepted])).toEqual([
      ['sent', 30],
      ['sent', 30],
    ]);
  });

  it('are created in two steps: details first, all required before a launch, then messages', async () => {
    const created = await world.api.post<CampaignBody>('/v1/campaigns', {});
    expect(created.displayName).toBe('Untitled campaign');
    expect(created.missing.map((issue) => issue.pointer)).toEqual([
      '/name',
      '/senderId',
      '/listIds',
      '/ownerId',
      '/purpose',
      '/acknowledgement',
      '/messages',
    ]);
    await expect(act(created.id, 'launch', { start: 'now' })).rejects.toThrow('not-launchable');
  });

  it('have a unique name', async () => {
    await world.draft('Unique name', listId, ['Text']);
    await expect(world.draft('UNIQUE NAME', listId, ['Text'])).rejects.toThrow('name-taken');
  });

  it('record the opt-in acknowledgement in its exact words, with who and when', async () => {
    const draft = await world.draft('Acknowledged', listId, ['Text']);
    const read = await world.api.get<{ acknowledgement: { words: string; by: string; at: string } }>(
      `/v1/campaigns/${draft.id}`,
    );
    expect(read.acknowledgement.words).toBe(ACKNOWLEDGEMENT);
    expect(read.acknowledgement.by).toMatch(/^key_/);
    await expect(world.api.post('/v1/campaigns', { acknowledgement: 'I agree.' })).rejects.toThrow(
      'invalid-field',
    );
  });

  it('support text, emojis and attachments', async () => {
    const picture = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const media = await world.api.send<{ id: string; contentType: string }>(
      'POST',
      '/v1/media',
      picture,
      'image/png',
    );
    expect(media.contentType).toBe('image/png');
    const draft = await world.draft('Attachment', listId, ['Look 🎉']);
    await patch(`/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`, { mediaIds: [media.id] });
    await act(draft.id, 'launch', { start: 'now' });
    const finished = await world.reaches(draft.id, 'finished');
    expect(finished.report.accepted).toBe(30);
  });

  it('lock their details once scheduled, while schedules of unsent messages can still be moved', async () => {
    const draft = await world.draft('Locked', listId, ['Later']);
    const [message] = draft.messages;
    await patch(`/v1/campaigns/${draft.id}/messages/${message?.id}`, { schedule: inHours(5) });
    await act(draft.id, 'launch', { start: 'scheduled' });
    await world.reaches(draft.id, 'scheduled');
    const refused = await patch(`/v1/campaigns/${draft.id}`, { name: 'Another name' });
    expect(refused).toMatchObject({ status: 409, code: 'details-locked', errors: [{ pointer: '/name' }] });
    const moved = inHours(7);
    const order = await act(draft.id, 'reschedule', {
      messages: [{ messageId: message?.id, schedule: moved }],
    });
    expect(order.state).toBe('applied');
    expect((await world.campaign(draft.id)).messages[0]?.schedule).toEqual(moved);
    await act(draft.id, 'abort');
  });

  it('are listed with status, name, start date, creator, number of messages and lists, sortable by each', async () => {
    await world.draft('Sorted A', listId, ['One']);
    await world.draft('Sorted B', listId, ['One', 'Two']);
    const page = await world.api.get<{ items: Record<string, unknown>[]; total: number; pages: number }>(
      '/v1/campaigns?q=sorted&sort=name&order=asc',
    );
    expect(page).toMatchObject({ total: 2, pages: 1 });
    expect(page.items).toMatchObject([
      { name: 'Sorted A', status: 'draft', messageCount: 1, lists: [{ id: listId, name: 'Regulars' }] },
      { name: 'Sorted B', status: 'draft', messageCount: 2 },
    ]);
    for (const sort of ['status', 'name', 'startAt', 'createdBy', 'createdAt', 'messageCount', 'listNames']) {
      expect(await names(`q=sorted&sort=${sort}&order=desc`), sort).toHaveLength(2);
    }
  });

  it('are found by name, status, start date and sender', async () => {
    expect(await names('q=sorted%20b')).toEqual(['Sorted B']);
    expect(await names('status=finished&q=sequence')).toEqual(['Sequence']);
    expect(await names(`senderId=${world.senderId}&q=sequence`)).toEqual(['Sequence']);
    const tomorrow = encodeURIComponent(new Date(Date.now() + 24 * HOUR_MS).toISOString());
    expect(await names(`startFrom=${tomorrow}&q=sequence`)).toEqual([]);
    expect(await names(`startTo=${tomorrow}&q=sequence`)).toEqual(['Sequence']);
  });

  it('are hidden once archived, unless archived ones are asked for', async () => {
    const draft = await world.draft('Put away', listId, ['Text']);
    await act(draft.id, 'archive');
    expect(await names('q=put%20away')).toEqual([]);
    expect(await names('q=put%20away&status=archived')).toEqual(['Put away']);
    await act(draft.id, 'unarchive');
    expect(await names('q=put%20away')).toEqual(['Put away']);
  });

  it('show a timeline from oldest to newest with the deliverability of each message, status and actions', async () => {
    const [finished] = (await world.api.get<{ items: { id: string }[] }>('/v1/campaigns?q=sequence')).items;
    const campaign = await until(
      () => world.campaign(finished?.id ?? ''),
      ({ report }) => report.delivered === 60,
    );
    expect(campaign.messages.map((message) => message.position)).toEqual([1, 2]);
    expect(campaign.messages[0]?.report).toMatchObject({ recipients: 30, delivered: 30, waiting: 0 });
    expect(campaign.status).toBe('finished');
    expect(campaign.actions.filter((action) => action.allowed).map((action) => action.name)).toEqual([
      'duplicate',
      'archive',
      'delete',
    ]);
  });

  it('cancel the schedules of unsent messages when stopped, and text nobody any more', async () => {
    const draft = await world.draft('Stopped', listId, ['Never']);
    await patch(`/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`, { schedule: inHours(3) });
    await act(draft.id, 'launch', { start: 'scheduled' });
    await world.reaches(draft.id, 'scheduled');
    const order = await act(draft.id, 'stop');
    expect(order).toMatchObject({ state: 'applied', inFlight: 0 });
    const stopped = await world.reaches(draft.id, 'stopped');
    expect(stopped.messages[0]).toMatchObject({ status: 'cancelled', schedule: null });
  });

  it('are restarted with a new message schedule and nothing else', async () => {
    const [found] = (await world.api.get<{ items: { id: string }[] }>('/v1/campaigns?q=stopped')).items;
    const campaign = await world.campaign(found?.id ?? '');
    expect(await patch(`/v1/campaigns/${campaign.id}`, { name: 'Renamed' })).toMatchObject({
      code: 'details-locked',
    });
    const schedule = { local: toLocal(Date.now() + 3_000, ZONE), zone: ZONE };
    await act(campaign.id, 'restart', { messages: [{ messageId: campaign.messages[0]?.id, schedule }] });
    const finished = await world.reaches(campaign.id, 'finished');
    expect(finished.report.accepted).toBe(30);
  });

  it('are suspended with the reason when the carrier reports insufficient credit, and go on after a resume', async () => {
    const poor = await world.list('Poor', ['+14155559031', ...numbers(3, '628')]);
    const draft = await world.draft('Out of credit', poor, ['Hi {{firstName}}', 'Second']);
    await patch(`/v1/campaigns/${draft.id}/messages/${draft.messages[1]?.id}`, { schedule: inHours(2) });
    await act(draft.id, 'launch', { start: 'now' });
    const suspended = await world.reaches(draft.id, 'suspended');
    expect(suspended.statusReasons).toMatchObject([{ code: 'credit' }]);
    expect((await act(draft.id, 'resume')).state).toBe('applied');
    expect(['started', 'scheduled', 'sending']).toContain((await world.campaign(draft.id)).status);
    await act(draft.id, 'abort');
  });

  it('suspend when their sender is disabled, and cannot be resumed until it is enabled again', async () => {
    const senderPath = `/v1/senders/${world.senderId}`;
    const draft = await world.draft('No sender', listId, ['Hi {{firstName}}']);
    await patch(senderPath, { disabled: true });
    await act(draft.id, 'launch', { start: 'now' });
    const suspended = await world.reaches(draft.id, 'suspended');
    expect(suspended.statusReasons).toMatchObject([{ code: 'sender_disabled' }]);
    await expect(act(draft.id, 'resume')).rejects.toThrow('cause-persists');
    await patch(senderPath, { disabled: false });
    await act(draft.id, 'resume');
    expect((await world.reaches(draft.id, 'finished')).report.accepted).toBe(30);
  });

  it('text nobody twice and nobody who has replied STOP, by the carrier’s own ledger', async () => {
    const [first = ''] = numbers(1, '415');
    await world.sandbox.post('/sandbox/inbound', { from: first, to: '24365', text: ' Stop. ' });
    const draft = await world.draft('After a stop', listId, ['Hi {{firstName}} again']);
    await act(draft.id, 'launch', { start: 'now' });
    const finished = await world.reaches(draft.id, 'finished');
    expect(finished.report).toMatchObject({ accepted: 29, skipped: [{ reason: 'opt_out', count: 1 }] });
    await world.sandbox.post('/sandbox/inbound', { from: first, to: '24365', text: 'START' });
    const again = await world.draft('After a start', listId, ['Hi {{firstName}} once more']);
    await act(again.id, 'launch', { start: 'now' });
    expect((await world.reaches(again.id, 'finished')).report.accepted).toBe(30);
    const ledger = await world.ledger();
    const texts = ledger.map((line) => `${line.dst} ${line.sha256}`);
    // The bulk text "Second" and the like go to everybody once each, so a pair never repeats.
    expect(new Set(texts).size).toBe(texts.length);
  });
});
