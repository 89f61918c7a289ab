import { fastify } from 'fastify';
import { Pool } from 'pg';

// Fastify routes that do the bare SQL of the rows which an answer is made of and nothing else: no key, no tenant,
// no check, no transaction of its own.
const [connectionString = '', accountId = '', connections = '', port = ''] = process.argv.slice(2);
const pool = new Pool({ connectionString, max: Number(connections) });
const app = fastify();

app.get<{ Params: { id: string } }>('/v1/campaigns/:id', async (request) => {
  const { id } = request.params;
  const [campaign, messages] = await Promise.all([
    pool.query(
      `select c.*, array(select list_id from campaign_lists l where l.campaign_id = c.id) as list_ids
       from campaigns c where c.id = $1`,
      [id],
    ),
    pool.query('select * from messages where campaign_id = $1 order by position', [id]),
  ]);
  return { ...campaign.rows[0], messages: messages.rows };
});

app.get<{ Querystring: { pageSize: string } }>('/v1/campaigns', async (request) => {
  const [items, total] = await Promise.all([
    pool.query(
      `select * from campaigns where account_id = $1 and deleted_at is null and archived_at is null
       order by created_at desc, id desc limit $2`,
      [accountId, Number(request.query.pageSize)],
    ),
    pool.query(
      'select count(*) from campaigns where account_id = $1 and deleted_at is null and archived_at is null',
      [accountId],
    ),
  ]);
  return { items: items.rows, total: Number(total.rows[0].count) };
});

app.post<{ Body: { name: string } }>('/v1/campaigns', async (request, reply) => {
  const made = await pool.query(
    `insert into campaigns (id, account_id, name, created_by)
     values ('cmp_' || replace(gen_random_uuid()::text, '-', ''), $1, $2, 'bench') returning *`,
    [accountId, request.body.name],
  );
  reply.code(201);
  return made.rows[0];
});

await app.listen({ host: '127.0.0.1', port: Number(port) });
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
