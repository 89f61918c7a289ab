import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Carriers, createCarriers } from '../../activities/carriers.ts';
import { type Db, openDatabase, openPool } from '../../db/database.ts';
import type { SendRequest } from '../../carrier/carrier.ts';
import { seedAccount } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { answer, AUTH_ID, AUTH_TOKEN, type PlivoServer, startPlivoServer } from './plivo-server.ts';

const REQUEST: SendRequest = {
  from: '+14155550100',
  to: ['+14155550001'],
  text: 'The bakery opens at nine.',
  mediaUrls: [],
  callbackUrl: 'https://carillon.example/callbacks/plivo/post',
};
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let server: PlivoServer;
let db: Db;
let carriers: Carriers;
let carrierAccountId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  server = await startPlivoServer();
});
beforeEach(async () => {
  server.reset();
  server.behave = answer(202, { message: 'message(s) queued', message_uuid: ['uuid'], api_id: 'api' });
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 2, role: 'carillon_app' }));
  ({ carrierAccountId } = await seedAccount(db));
  carriers = createCarriers({
    db,
    keys: [],
    defaults: { authId: AUTH_ID, authToken: AUTH_TOKEN },
    apiUrl: server.url,
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await carriers.close();
});
afterAll(async () => {
  await server.close();
  await database.drop();
});

test('whose credentials cannot be looked up is certainly not posted to', async () => {
  await db.destroy();
  const result = await carriers.send(carrierAccountId, REQUEST);
  expect(result).toEqual({ kind: 'not_accepted', cause: 'not_written', retryAfterMs: null });
  expect(server.posted).toEqual([]);
});

test('a client that was made ready is used without asking the database, however old it is', async () => {
  await carriers.prepare(carrierAccountId);
  await db.destroy();
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + HOUR_MS);
  for (let text = 0; text < 3; text += 1) {
    expect(await carriers.send(carrierAccountId, REQUEST)).toMatchObject({ kind: 'accepted' });
  }
  expect(server.posted).toHaveLength(3);
});
