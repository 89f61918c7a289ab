import { parseArgs } from 'node:util';
import { startSystem } from '../dev/launcher.ts';
import { makeThrowawayHome } from '../dev/throwaway-home.ts';
import { parseWholeNumber } from './whole-number.ts';
import { findSchemathesis, fuzzWith } from './schemathesis.ts';
import { seedForFuzzing } from './seed.ts';
import { operationsWithIds, type OpenApi } from './operations.ts';

// Sends made-up requests to every operation of the OpenAPI, first with ids of things that exist, then with any ids,
// and as an operator. Each answer has to be none of 5xx and what the document says of it.
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '180' },
    seed: { type: 'string', default: '1' },
  },
});
const bounds = {
  examplesMax: parseWholeNumber('--examples', values.examples),
  timeMaxS: parseWholeNumber('--seconds', values.seconds),
  seed: parseWholeNumber('--seed', values.seed),
};

const { path: home, remove } = await makeThrowawayHome('fuzz');
let failed = 0;
try {
  const program = await findSchemathesis(say);
  const system = await startSystem({
    home,
    ports: 'free',
    // Thousands of requests in a minute are the point here, and their log lines are not.
    env: { ...process.env, LOG_LEVEL: 'error' },
    progress: say,
    temporalInMemory: true,
  });
  try {
    const { urls, firstKeys } = system;
    if (urls.sandbox === undefined || firstKeys === null) {
      throw new Error('Fuzzing needs a database and a carrier of its own: unset DATABASE_URL and CARRIER.');
    }
    const { operatorKey } = firstKeys;
    const seeded = await seedForFuzzing({ apiUrl: urls.api, sandboxUrl: urls.sandbox, operatorKey, say });
    const document = (await (await fetch(`${urls.api}/openapi.json`)).json()) as OpenApi;
    const ids = await operationsWithIds(document, seeded.client);
    const run = { ...bounds, program, apiUrl: urls.api, folder: home };
    say(`As an account, with the ids of what it has (${ids.length} operations)`);
    failed += await fuzzWith({ ...run, key: seeded.key, operations: ids });
    say('As an account, with any ids');
    failed += await fuzzWith({ ...run, key: seeded.key, operations: [] });
    say('As an operator, with any ids');
    failed += await fuzzWith({ ...run, key: operatorKey, operations: [] });
  } finally {
    await system.stop();
  }
} finally {
  await remove();
}
say(failed === 0 ? 'No request broke it.' : `${failed} of 3 runs found something; see above.`);
process.exitCode = failed === 0 ? 0 : 1;

function say(line: string): void {
  console.log(line);
}
