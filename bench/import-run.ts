import { randomBytes } from 'node:crypto';
import { runImport } from '../activities/import/run-import.ts';
import { openDatabase, openPool } from '../db/database.ts';

// One import in a process of its own. Prints how long it took, its counts and the most memory it had.
const [connectionString = '', accountId = '', importId = ''] = process.argv.slice(2);
const pool = openPool({ connectionString, connectionsMax: 4, role: 'carillon_app' });
const db = openDatabase(pool);
await pool.query('select 1');
const started = performance.now();
const result = await runImport({ db, pool, hashKey: randomBytes(32) }, { accountId, importId });
const ms = performance.now() - started;
await db.destroy();
if (result.kind !== 'ended' || result.status !== 'finished') throw new Error('The import did not finish.');
const memoryMb = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(`${JSON.stringify({ ms, memoryMb, rows: result.rows })}\n`);
