import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Carrier, SendRequest } from '../../carrier/carrier.ts';
import { createPlivoCarrier } from '../../carrier/plivo/plivo-carrier.ts';
import { answer, type PlivoServer, QUEUED, startPlivoServer } from './plivo-server.ts';

const REQUEST: SendRequest = {
  from: '+14155550100',
  to: ['+14155550001'],
  text: 'The bakery opens at nine.',
  mediaUrls: [],
  callbackUrl: 'https://carillon.example/callbacks/plivo/status/post_1/mac',
};

let server: PlivoServer;
beforeAll(async () => {
  server = await startPlivoServer();
});
beforeEach(() => {
  server.reset();
});
afterAll(async () => {
  await server.close();
});

function basic(authId: string, authToken: string): string {
  return `Basic ${Buffer.from(`${authId}:${authToken}`).toString('base64')}`;
}

function carrierOf(authId: string, authToken: string, connections: number): Carrier {
  return createPlivoCarrier({ authId, authToken, apiUrl: server.url, timeoutMs: 60_000, connections });
}

describe('two accounts in one process', () => {
  it('never use each other’s credentials, texts or answers, however their sends interleave', async () => {
    const held: (() => void)[] = [];
    const total = 60;
    server.behave = (response, socket, posted) => {
      const id = posted.path.split('/')[3] ?? '';
      held.push(() =>
        answer(202, { message_uuid: [`${id}-${String(posted.body['text'])}`] })(response, socket, posted),
      );
      // The answers go back in the other order, once all are here.
      if (held.length === total) for (const go of held.toReversed()) go();
    };
    const one = carrierOf('MAFIRST', 'first-token', total);
    const other = carrierOf('MASECOND', 'second-token', total);
    const sends = Array.from({ length: total / 2 }, (_, index) => {
      const request = { ...REQUEST, text: `text ${index}` };
      return [one.send(request), other.send(request)];
    });
    const results = await Promise.all(sends.flat());
    await Promise.all([one.close(), other.close()]);
    expect(results.map((result) => (result.kind === 'accepted' ? result.uuids[0] : result))).toEqual(
      sends.flatMap((_, index) => [`MAFIRST-text ${index}`, `MASECOND-text ${index}`]),
    );
    const used = new Set(server.posted.map(({ path, headers }) => `${path} ${headers.authorization}`));
    expect([...used].toSorted()).toEqual([
      `/v1/Account/MAFIRST/Message/ ${basic('MAFIRST', 'first-token')}`,
      `/v1/Account/MASECOND/Message/ ${basic('MASECOND', 'second-token')}`,
    ]);
    expect(server.posted).toHaveLength(total);
  });

  it('a hung account does not hold up the other', async () => {
    server.behave = (response, socket, posted) => {
      if (posted.path.includes('MASECOND')) QUEUED(response, socket, posted);
    };
    const hung = carrierOf('MAFIRST', 'token', 1);
    const well = carrierOf('MASECOND', 'token', 1);
    const stop = new AbortController();
    const first = hung.send(REQUEST, stop.signal);
    await server.arrived(1);
    expect((await well.send(REQUEST)).kind).toBe('accepted');
    stop.abort();
    expect((await first).kind).toBe('unknown');
    await Promise.all([hung.close(), well.close()]);
  });
});
