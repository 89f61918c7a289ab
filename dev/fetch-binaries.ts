import { findTestServer, findTemporalCli } from './temporal-binaries.ts';

// Fetches both Temporal servers ahead of time, so that neither a start nor a test waits for a download.
const context = { env: process.env, progress: (line: string) => console.log(line) };
try {
  console.log(`Temporal CLI: ${await findTemporalCli(context)}`);
  console.log(`Time-skipping test server: ${await findTestServer(context)}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
