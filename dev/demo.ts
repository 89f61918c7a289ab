import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { playCentral } from './demo/central-story.ts';
import { createProgress, reportLines } from './demo/show.ts';
import { followCampaign, launchDemoCampaign, type Stage } from './demo/story.ts';
import { startSystem, type System } from './launcher.ts';
import { onStopWanted } from './stop-wanted.ts';
import { makeThrowawayHome } from './throwaway-home.ts';

// The whole system in a home of its own and on free ports, with one campaign delivered before one's eyes: an account's
// own, or with --central a parent's, which its sub-accounts send.
const { values } = parseArgs({
  options: { exit: { type: 'boolean' }, central: { type: 'boolean' }, contacts: { type: 'string' } },
});
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
  const isWell = await play(system, contacts);
  if (values.exit === true) await end(isWell ? 0 : 1);
} catch (error) {
  if (!unwanted.signal.aborted) {
    console.error(error instanceof Error ? error.message : String(error));
    await end(1);
  }
}

function say(line: string): void {
  console.log(line);
}

/** Resolves with whether all ended as it has to. */
async function play(running: System, contacts: Buffer): Promise<boolean> {
  const { urls, firstKeys } = running;
  if (urls.sandbox === undefined || firstKeys === null)
    throw new Error('The demo needs a database and a carrier of its own.');
  const stage = {
    apiUrl: urls.api,
    sandboxUrl: urls.sandbox,
    operatorKey: firstKeys.operatorKey,
    contacts,
    say,
  };
  const { isWell, left } = await (values.central === true ? playParents(stage) : playAccounts(stage));
  if (values.exit === true) return isWell;
  const places = [
    ['API and its docs', `${urls.api}/docs`],
    ["Temporal's UI", urls.temporalUi ?? urls.temporalAddress],
    ...left,
  ] as const;
  const width = Math.max(...places.map(([name]) => name.length));
  const lines = places.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  say(['Everything goes on running until Ctrl-C:', ...lines].join('\n'));
  return isWell;
}

interface Played {
  readonly isWell: boolean;
  /** What there is to look at, by its name. */
  readonly left: readonly (readonly [string, string])[];
}

async function playAccounts(stage: Stage): Promise<Played> {
  const demo = await launchDemoCampaign(stage);
  const { read, imported, merged, refused } = demo.imported.rows;
  say(
    `Imported ${imported} contacts from ${read} rows: ${merged} duplicates merged, ${refused} rows refused.`,
  );
  const progress = createProgress(say);
  const view = await followCampaign(demo, progress.update, unwanted.signal);
  progress.end();
  say(['', ...reportLines(view), ''].join('\n'));
  const left = [
    ['campaign', demo.campaignId],
    ['key', demo.accountKey],
  ] as const;
  return { isWell: true, left };
}

async function playParents(stage: Stage): Promise<Played> {
  const demo = await playCentral(stage, unwanted.signal);
  for (const fault of demo.faults) console.error(fault);
  const left = [
    ['central campaign', demo.campaignId],
    ['key of the parent', demo.parentKey],
    ...demo.branchKeys.map(({ name, key }) => [name, key] as const),
  ] as const;
  return { isWell: demo.faults.length === 0, left };
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
