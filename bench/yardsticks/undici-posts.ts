import { Pool } from 'undici';

// Posts as many texts as are wanted over a bare pool, so many at once, each with a body of its own.
const [url = '', countGiven = '', connections = '', callbackUrl = ''] = process.argv.slice(2);
const count = Number(countGiven);
const pool = new Pool(url, { connections: Number(connections), pipelining: 1 });
const authorization = `Basic ${Buffer.from('MAXXXXXXXXXXXXXXXXXX:token').toString('base64')}`;
let next = 0;

async function post(): Promise<void> {
  while (next < count) {
    const index = (next += 1);
    const response = await pool.request({
      path: '/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/',
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({
        src: '24365',
        dst: `+1${2_000_000_000 + index}`,
        text: `Hi Name${index}, our summer sale begins today.`,
        url: `${callbackUrl}/${index}`,
        method: 'POST',
        type: 'sms',
      }),
    });
    const { message_uuid: uuids } = (await response.body.json()) as { message_uuid: readonly string[] };
    if (response.statusCode !== 202 || uuids.length !== 1) throw new Error('The sink refused.');
  }
}

const started = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, post));
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started })}\n`);
await pool.close();
