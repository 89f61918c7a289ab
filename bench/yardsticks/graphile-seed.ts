import { runMigrations } from 'graphile-worker';
import { Client } from 'pg';

// Puts the jobs into the queue; that is not measured.
const [connectionString = '', count = ''] = process.argv.slice(2);
await runMigrations({ connectionString });
const client = new Client({ connectionString });
await client.connect();
await client.query(
  `select graphile_worker.add_job('text', json_build_object('to', '+1' || (2000000000 + i),
     'body', 'Hi Name' || i || ', our summer sale begins today.'))
   from generate_series(1, $1::int) i`,
  [Number(count)],
);
await client.query('vacuum analyze');
await client.end();
process.stdout.write('{}\n');
