import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

// What PostgreSQL does at best: COPY of the same rows as CSV, thrown away. Prints how long that takes.
const [databaseUrl = '', query = ''] = process.argv.slice(2);
const client = new Client({ connectionString: databaseUrl });
await client.connect();
const started = performance.now();
let bytes = 0;
const rows: AsyncIterable<Buffer> = client.query(copyTo(`copy (${query}) to stdout with (format csv)`));
for await (const chunk of rows) bytes += chunk.length;
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started, bytes })}\n`);
await client.end();
