import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

// What PostgreSQL does at best: COPY of rows that somebody else has prepared, into a table with the same columns
// and indexes, over a connection for each of the files. Prints how long that takes.
const [connectionString = '', table = '', columns = '', ...paths] = process.argv.slice(2);
const clients = paths.map(() => new Client({ connectionString }));
await Promise.all(clients.map((client) => client.connect()));
const [client = new Client()] = clients;
await client.query('drop table if exists yardstick');
await client.query(`create table yardstick (like ${table} including all)`);
const started = performance.now();
await Promise.all(
  paths.map((path, index) =>
    pipeline(
      createReadStream(path),
      (clients[index] ?? client).query(copyFrom(`copy yardstick (${columns}) from stdin`)),
    ),
  ),
);
const ms = performance.now() - started;
const counted = await client.query<{ rows: string }>('select count(*) as rows from yardstick');
await client.query('drop table yardstick');
await Promise.all(clients.map((one) => one.end()));
process.stdout.write(`${JSON.stringify({ ms, rows: Number(counted.rows[0]?.rows) })}\n`);
