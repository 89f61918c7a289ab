import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

// What PostgreSQL does at best: COPY of rows that somebody else has prepared, into a table with the same
// columns and indexes. Prints how long that takes.
const [databaseUrl = '', path = '', columns = ''] = process.argv.slice(2);
const client = new Client({ connectionString: databaseUrl });
await client.connect();
await client.query('drop table if exists yardstick_contacts');
await client.query('create table yardstick_contacts (like contacts including all)');
const started = performance.now();
await pipeline(
  createReadStream(path),
  client.query(copyFrom(`copy yardstick_contacts (${columns}) from stdin`)),
);
const ms = performance.now() - started;
const counted = await client.query<{ rows: string }>('select count(*) as rows from yardstick_contacts');
await client.query('drop table yardstick_contacts');
await client.end();
process.stdout.write(`${JSON.stringify({ ms, rows: Number(counted.rows[0]?.rows) })}\n`);
