import { randomBytes } from 'node:crypto';
import { createApp } from '../api/app.ts';
import { openPipelinedDatabase, openPool } from '../db/database.ts';
import { noCrash } from '../domain/dispatch/crash-points.ts';

// The API in a process of its own. Prints its URL once it listens; when its input ends, the most memory it had.
const [connectionString = ''] = process.argv.slice(2);
const options = { connectionString, connectionsMax: 4, role: 'carillon_app' } as const;
const db = openPipelinedDatabase(options);
const pool = openPool(options);
const app = await createApp(
  {
    db,
    pool,
    crash: noCrash,
    now: Date.now,
    publicUrl: 'http://127.0.0.1',
    keys: [{ id: 'k1', secret: randomBytes(32) }],
    hashKey: randomBytes(32),
    defaultCredentials: null,
    acceptV2Signatures: false,
    workflows: {
      wakeCampaign: () => Promise.resolve(),
      ensureCampaign: () => Promise.resolve(),
      pokeCampaign: () => Promise.resolve(true),
      hasRun: () => Promise.resolve(true),
      runningCampaigns: () => Promise.resolve(() => false),
      applyAction: () => Promise.resolve(null),
      wakeCentral: () => Promise.resolve(),
      ensureCentral: () => Promise.resolve(),
      pokeCentral: () => Promise.resolve(true),
      applyCentralAction: () => Promise.resolve(null),
      lookAtSlice: () => Promise.resolve(true),
      isReachable: () => Promise.resolve(true),
      startImport: () => Promise.resolve(),
      startTestSend: () => Promise.resolve(),
      wakeReconcile: () => Promise.resolve(),
    },
  },
  false,
);
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
process.stdin.resume();
process.stdin.once('end', () => {
  const memoryMb = process.resourceUsage().maxRSS / 1_024;
  process.stdout.write(`${JSON.stringify({ memoryMb })}\n`, () => process.exit(0));
});
