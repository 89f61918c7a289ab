import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { createApp } from '../api/app.ts';
import { openDatabase, openPool } from '../db/database.ts';
import { noCrash } from '../domain/dispatch/crash-points.ts';
import { createWorkflowClient } from '../engine/workflow-client.ts';
import { runTool } from './run-tool.ts';

// Writes the client's types from the OpenAPI of the routes as they stand. The app is made and never asked anything,
// so that neither a database nor an engine has to be there.
const CLIENT = fileURLToPath(new URL('../client', import.meta.url));
const GENERATE_TIMEOUT_MS = 120_000;

const pool = openPool({
  connectionString: 'postgres://127.0.0.1:1/none',
  connectionsMax: 1,
  role: 'carillon_app',
});
const connection = Connection.lazy({ address: '127.0.0.1:1' });
const app = await createApp(
  {
    db: openDatabase(pool),
    pool,
    workflows: createWorkflowClient(new Client({ connection }), 'real'),
    crash: noCrash,
    now: Date.now,
    publicUrl: 'http://127.0.0.1:8080',
    keys: [{ id: 'none', secret: randomBytes(32) }],
    hashKey: randomBytes(32),
    defaultCredentials: null,
    acceptV2Signatures: false,
  },
  false,
);
await app.ready();
await writeFile(`${CLIENT}/openapi.json`, JSON.stringify(app.swagger(), null, 2));
await app.close();
await pool.end();
await connection.close();
await runTool({
  command: 'npm',
  args: ['run', 'generate'],
  cwd: CLIENT,
  env: process.env,
  timeoutMs: GENERATE_TIMEOUT_MS,
});
console.log('client/schema.d.ts is what the routes say.');
