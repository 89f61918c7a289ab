import { Client } from 'pg';

// The report as a query over its rows: what became of each attempt, and what was reported of it. Prints how long it
// took and what it found.
const [databaseUrl = '', month = '', messageKey = ''] = process.argv.slice(2);
const client = new Client({ connectionString: databaseUrl });
await client.connect();
await client.query('select 1');
const started = performance.now();
const attempts = await client.query(
  `select result, cause, count(*)::int as count, sum(segments)::int as segments from attempts
   where month = $1 and message_key = $2 group by result, cause`,
  [month, messageKey],
);
const outcomes = await client.query(
  `select stage, status, reason, count(*)::int as count from outcomes
   where month = $1 and message_key = $2 group by stage, status, reason`,
  [month, messageKey],
);
const ms = performance.now() - started;
process.stdout.write(JSON.stringify({ ms, attempts: attempts.rows, outcomes: outcomes.rows }));
await client.end();
