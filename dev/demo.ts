import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createProgress, reportLines } from './demo/show.ts';
import { followCampaign, launchDemoCampaign } from './demo/story.ts';
import { startSystem, type System } from './launcher.ts';
import { onStopWanted } from './stop-wanted.ts';
import { makeThrowawayHome } from './throwaway-home.ts';

// The whole system in a home of its own and on free ports, with one campaign delivered before one's eyes.
const { values } = parseArgs({ options: { exit: { type: 'boolean' }, contacts: { type: 'string' } } });
const unwanted = new AbortController();
const { path: home, remove } = await makeThrowawayHome('demo');
let system: System | undefined;

onStopWanted(() => {
  unwanted.abort();
  void end(0);
});

try {
  const contacts = await readFile(values.contacts ?? new URL('../examples/contacts.csv', import.meta.url));
  say('Starting PostgreSQL, Temporal, the sandbox carrier, the worker and the API.');
  system = await startSystem({
    home,
    ports: 'free',
    env: ownEnvironment(),
    progress: say,
    signal: unwanted.signal,
  });
  await play(system, contacts);
  if (values.exit === true) await end(0);
} catch (error) {
  if (!unwanted.signal.aborted) {
    console.error(error instanceof Error ? error.message : String(error));
    await end(1);
  }
}

function say(line: string): void {
  console.log(line);
}

async function play(running: System, contacts: Buffer): Promise<void> {
  const { urls, firstKeys } = running;
  if (urls.sandbox === undefined || firstKeys === null)
    throw new Error('The demo needs a database and a carrier of its own.');
  const demo = await launchDemoCampaign({
    apiUrl: urls.api,
    sandboxUrl: urls.sandbox,
    operatorKey: firstKeys.operatorKey,
    contacts,
    say,
  });
  const { read, imported, merged, refused } = demo.imported.rows;
  say(
    `Imported ${imported} contacts from ${read} rows: ${merged} duplicates merged, ${refused} rows refused.`,
  );
  const progress = createProgress(say);
  const view = await followCampaign(demo, progress.update, unwanted.signal);
  progress.end();
  say(['', ...reportLines(view), ''].join('\n'));
  if (values.exit === true) return;
  say(
    [
      'Everything goes on running until Ctrl-C:',
      `  API and its docs    ${urls.api}/docs`,
      `  Temporal's UI       ${urls.temporalUi ?? urls.temporalAddress}`,
      `  campaign            ${demo.campaignId}`,
      `  key                 ${demo.accountKey}`,
    ].join('\n'),
  );
}

async function end(code: number): Promise<void> {
  await system?.stop();
  await remove();
  process.exit(code);
}

/** The demo brings parts of its own, whatever the environment names for `npm start`. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const names =
    /^(DATABASE_URL|TEMPORAL_|CARRIER$|PLIVO_|PUBLIC_URL$|CARILLON_(KEYS|HASH_KEY|HOME)$|HOST$|PORT$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !names.test(name)));
}
