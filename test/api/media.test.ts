import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { sweepMedia } from '../../db/sweep-media.ts';
import { type ApiWorld, openApiWorld, type Reply } from './api-world.ts';
import { createDraft, PIXEL } from './seeded-things.ts';

const HOUR_MS = 3_600_000;
/** The beginning of a picture, and more bytes than several pieces hold. */
const LARGE = Buffer.concat([PIXEL, randomBytes(900_000)]);

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

const upload = (body: Buffer | ReadableStream, headers: Record<string, string> = {}): Promise<Reply> =>
  world.mine.call('POST', '/v1/media', { body, headers: { 'content-type': 'image/png', ...headers } });
const idOf = (reply: Reply): string => String(reply.body['id']);
const read = (id: string) => world.mine.call('GET', `/v1/media/${id}`);

async function pathOf(id: string): Promise<string> {
  const { rows } = await world.owner.query<{ token: string }>('select token from media where id = $1', [id]);
  return `/media/${rows[0]?.token}`;
}
async function rowsOf(table: 'media' | 'media_pieces'): Promise<number> {
  const { rows } = await world.owner.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return rows[0]?.count ?? 0;
}
async function fetchMedia(id: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(world.url + (await pathOf(id)), { method, headers });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}
/** Lets time pass for the sweep: nobody has used them for so long. */
const age = (id: string, ms: number) =>
  world.owner.query(
    `update media set unused_since = unused_since - $2 * interval '1 millisecond' where id = $1`,
    [id, ms],
  );

describe('an upload', () => {
  it('is kept as it came, in pieces, and served bit for bit', async () => {
    const reply = await upload(LARGE);
    expect(reply).toMatchObject({ status: 201, body: { contentType: 'image/png', bytes: LARGE.length } });
    const { rows } = await world.owner.query<{ most: number }>(
      'select max(length(content)) as most from media_pieces where media_id = $1',
      [idOf(reply)],
    );
    expect(rows[0]?.most).toBe(256 * 1024);
    const { response, bytes } = await fetchMedia(idOf(reply));
    expect(response.status).toBe(200);
    expect(bytes.equals(LARGE)).toBe(true);
  });

  it.each([
    ['image/png', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(100)]), 'image/jpeg'],
    ['application/pdf', PIXEL, 'image/png'],
    [
      'text/html',
      Buffer.concat([Buffer.from('GIF89a'), Buffer.from('<script>alert(1)</script>')]),
      'image/gif',
    ],
  ])('that says it is %s is what its bytes say', async (type, body, contentType) => {
    const reply = await upload(body, { 'content-type': type });
    expect(reply).toMatchObject({ status: 201, body: { contentType } });
    expect((await fetchMedia(idOf(reply))).response.headers.get('content-type')).toBe(contentType);
  });

  it.each([
    ['a page', Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['a drawing with a script', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')],
    ['a program', Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), Buffer.alloc(100)])],
    ['an archive', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(100)])],
    ['nothing', Buffer.alloc(0)],
  ])('of %s that says it is a picture is refused, and nothing of it is kept', async (_what, body) => {
    const before = await world.snapshot();
    const reply = await upload(body, { 'content-type': 'image/png' });
    expect([400, 422]).toContain(reply.status);
    expect(await world.snapshot()).toEqual(before);
  });

  it('of more than the carrier takes is refused, whether or not it says so before', async () => {
    const before = await world.snapshot();
    const much = Buffer.concat([PIXEL, Buffer.alloc(5_000_000)]);
    expect(await upload(much)).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
    const stream = new ReadableStream({
      start: (controller) => {
        for (let at = 0; at < much.length; at += 100_000) controller.enqueue(much.subarray(at, at + 100_000));
        controller.close();
      },
    });
    expect(await upload(stream)).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
    expect(await world.snapshot()).toEqual(before);
  });

  it('that is compressed is refused', async () => {
    expect(await upload(PIXEL, { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
  });

  it('that is repeated with its key is kept once', async () => {
    const headers = { 'idempotency-key': 'picture' };
    const first = await upload(LARGE, headers);
    const [media, pieces] = [await rowsOf('media'), await rowsOf('media_pieces')];
    expect((await upload(LARGE, headers)).body).toEqual(first.body);
    expect(await upload(PIXEL, headers)).toMatchObject({ status: 422, body: { code: 'key-reused' } });
    expect([await rowsOf('media'), await rowsOf('media_pieces')]).toEqual([media, pieces]);
  });
});

describe('the carrier', () => {
  it('gets the right headers, and what browsers would run is run by none', async () => {
    const { response } = await fetchMedia(idOf(await upload(PIXEL)));
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(PIXEL.length),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, max-age=31536000, immutable',
      'accept-ranges': 'bytes',
      etag: `"${createHash('sha256').update(PIXEL).digest('hex')}"`,
    });
  });

  it.each([
    ['bytes=0-9', 206, 0, 10],
    ['bytes=262140-262150', 206, 262_140, 262_151],
    ['bytes=900000-', 206, 900_000, LARGE.length],
    ['bytes=-5', 206, LARGE.length - 5, LARGE.length],
    ['bytes=5-9999999', 206, 5, LARGE.length],
    ['bytes=9-5', 200, 0, LARGE.length],
    ['bytes=0-1,3-4', 200, 0, LARGE.length],
  ])('that asks for %s gets %i with just these bytes', async (range, status, from, to) => {
    const id = idOf(await upload(LARGE, { 'idempotency-key': 'ranges' }));
    const { response, bytes } = await fetchMedia(id, { range });
    expect(response.status).toBe(status);
    expect(bytes.equals(LARGE.subarray(from, to))).toBe(true);
    const part = `bytes ${from}-${to - 1}/${LARGE.length}`;
    expect(response.headers.get('content-range')).toBe(status === 206 ? part : null);
  });

  it('that asks beyond the end, for what it has, for nothing or for the head alone is told so', async () => {
    const id = idOf(await upload(LARGE, { 'idempotency-key': 'ranges' }));
    const beyond = await fetchMedia(id, { range: `bytes=${LARGE.length}-` });
    expect(beyond.response.status).toBe(416);
    expect(beyond.response.headers.get('content-range')).toBe(`bytes */${LARGE.length}`);
    const etag = (await fetchMedia(id)).response.headers.get('etag') ?? '';
    expect((await fetchMedia(id, { 'if-none-match': etag })).response.status).toBe(304);
    const head = await fetchMedia(id, {}, 'HEAD');
    expect([head.response.status, head.bytes.length]).toEqual([200, 0]);
    expect((await fetch(`${world.url}/media/${'x'.repeat(32)}`)).status).toBe(404);
    expect((await fetch(`${world.url}/media/${id.padEnd(32, 'x').slice(0, 32)}`)).status).toBe(404);
  });
});

describe('the sweep', () => {
  it('removes what no campaign has used for a day, says so beforehand, and logs it', async () => {
    const id = idOf(await upload(PIXEL));
    await sweepMedia(world.db);
    const { body } = await read(id);
    expect(body).toMatchObject({ campaigns: 0 });
    const { unusedSince, removedFrom } = body as { unusedSince: string; removedFrom: string };
    expect(Date.parse(removedFrom) - Date.parse(unusedSince)).toBe(24 * HOUR_MS);
    await age(id, 24 * HOUR_MS - 60_000);
    await sweepMedia(world.db);
    expect((await read(id)).status).toBe(200);
    const path = await pathOf(id);
    await age(id, 120_000);
    expect(await sweepMedia(world.db)).toBeGreaterThan(0);
    expect((await read(id)).status).toBe(404);
    expect((await fetch(world.url + path)).status).toBe(404);
    const log = await world.mine.call('GET', `/v1/log?subjectId=${id}`);
    expect(log.body['items']).toMatchObject([
      { what: 'delete', by: { kind: 'system' }, detail: { reason: 'unused' } },
      { what: 'create' },
    ]);
  });

  it('keeps what a draft or a launched campaign uses, and begins the day anew when the last one is gone', async () => {
    const id = idOf(await upload(PIXEL));
    await age(id, 100 * HOUR_MS);
    const { campaign, message } = await createDraft(world.mine, 'With a picture');
    const path = `/v1/campaigns/${campaign}/messages/${message}`;
    expect((await world.mine.call('PATCH', path, { body: { mediaIds: [id] } })).status).toBe(200);
    await sweepMedia(world.db);
    expect((await read(id)).body).toMatchObject({ campaigns: 1, unusedSince: null, removedFrom: null });
    await world.mine.call('POST', `/v1/campaigns/${campaign}/launch`, { body: { start: 'scheduled' } });
    await sweepMedia(world.db);
    expect((await read(id)).status).toBe(200);
    await withAccount(world.db, world.mine.accountId, (trx) =>
      trx.updateTable('campaigns').set({ deleted_at: new Date() }).where('id', '=', campaign).execute(),
    );
    await sweepMedia(world.db);
    expect((await read(id)).body).toMatchObject({ campaigns: 0 });
    expect((await read(id)).body['removedFrom']).not.toBeNull();
    await age(id, 25 * HOUR_MS);
    await sweepMedia(world.db);
    expect((await read(id)).status).toBe(404);
  });

  it('passes over what is being attached at this moment, and what is gone cannot be attached', async () => {
    const id = idOf(await upload(PIXEL));
    await age(id, 48 * HOUR_MS);
    await world.owner.query('begin');
    await world.owner.query('update media set unused_since = unused_since where id = $1', [id]);
    await sweepMedia(world.db);
    await world.owner.query('rollback');
    expect((await read(id)).status).toBe(200);
    await sweepMedia(world.db);
    expect((await read(id)).status).toBe(404);
    const { campaign } = await createDraft(world.mine, 'Too late');
    const added = await world.mine.call('POST', `/v1/campaigns/${campaign}/messages`, {
      body: { text: 'x', mediaIds: [id] },
    });
    expect(added).toMatchObject({ status: 422, body: { errors: [{ pointer: '/mediaIds/0' }] } });
  });

  it('removes uploads that broke off, which nobody has seen', async () => {
    const row = `insert into media (id, account_id, content_type, bytes, token, created_at)
      values ('med_broken', $1, 'image/png', 0, 'broken', now() - interval '2 hours')`;
    await world.owner.query(row, [world.mine.accountId]);
    const listed = await world.mine.call('GET', '/v1/media');
    expect(JSON.stringify(listed.body)).not.toContain('med_broken');
    await sweepMedia(world.db);
    expect((await world.owner.query(`select from media where id = 'med_broken'`)).rowCount).toBe(0);
  });
});

it('media of another account are neither seen nor listed', async () => {
  const id = idOf(await upload(PIXEL));
  expect((await world.theirs.call('GET', `/v1/media/${id}`)).status).toBe(404);
  expect((await world.theirs.call('GET', '/v1/media')).body).toMatchObject({ items: [], total: 0 });
});
