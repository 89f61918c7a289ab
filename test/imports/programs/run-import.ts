import { runImport } from '../../../activities/import/run-import.ts';
import { openDatabase, openPool } from '../../../db/database.ts';

// Runs one import; kills itself at a crash point, the second time it comes there if `:2` follows its name.
const [connectionString = '', hashKey = '', accountId = '', importId = '', crashAt = ''] =
  process.argv.slice(2);
const [wanted, times = '1'] = crashAt.split(':');
let left = Number(times);
const pool = openPool({ connectionString, connectionsMax: 4, role: 'carillon_app' });
const db = openDatabase(pool);
const result = await runImport(
  {
    db,
    pool,
    hashKey: Buffer.from(hashKey, 'hex'),
    crash: (point) => {
      if (point !== wanted) return;
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
    },
  },
  { accountId, importId },
);
await db.destroy();
const memoryMb = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(`${JSON.stringify({ result, memoryMb })}\n`);
