import { Pool } from 'undici';

const pools = new Map<string, Pool>();

/** Posts one text. */
export async function post(sinkUrl: string, text: string): Promise<void> {
  let pool = pools.get(sinkUrl);
  if (pool === undefined) {
    pool = new Pool(sinkUrl, { connections: 100 });
    pools.set(sinkUrl, pool);
  }
  const answer = await pool.request({
    path: '/',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ src: '24365', dst: '+12000000001', text }),
  });
  await answer.body.dump();
  if (answer.statusCode !== 202) throw new Error(`The sink answered ${answer.statusCode}.`);
}

/** Does nothing, which takes an activity all the same. */
export async function look(turn: number): Promise<number> {
  return turn;
}
