import { ConfigError } from '../config.ts';
import { HomeInUseError } from './home-lock.ts';
import { startSystem, type System } from './launcher.ts';
import { PortTakenError } from './ports.ts';
import { onStopWanted } from './stop-wanted.ts';
import { BinaryNotFoundError } from './temporal-binaries.ts';

// The whole system on one machine, with its data in the home folder, until Ctrl-C.
const unwanted = new AbortController();
let system: System | undefined;

onStopWanted(() => {
  console.log('Stopping.');
  unwanted.abort();
  if (system !== undefined) void end(system);
});

try {
  const { signal } = unwanted;
  system = await startSystem({ ports: 'default', env: process.env, progress: say, signal });
  console.log(describe(system));
  if (unwanted.signal.aborted) await end(system);
} catch (error) {
  if (!unwanted.signal.aborted) console.error(explain(error));
  process.exit(unwanted.signal.aborted ? 0 : 1);
}

function say(line: string): void {
  console.log(line);
}

async function end(running: System): Promise<void> {
  await running.stop();
  console.log('Stopped.');
  process.exit(0);
}

function describe({ urls, home, firstKeys }: System): string {
  const keys =
    firstKeys === null
      ? []
      : [
          '',
          'Keys, shown this once:',
          `  operator            ${firstKeys.operatorKey}`,
          `  account ${firstKeys.accountId}`,
          `                      ${firstKeys.accountKey}`,
        ];
  const places = [
    `  API and its docs    ${urls.api}/docs`,
    `  Temporal            ${urls.temporalAddress}`,
    ...(urls.temporalUi === undefined ? [] : [`  Temporal's UI       ${urls.temporalUi}`]),
    ...(urls.sandbox === undefined ? [] : [`  sandbox carrier     ${urls.sandbox}`]),
    `  data and logs       ${home}`,
  ];
  return ['', 'Carillon runs. Ctrl-C stops it.', ...places, ...keys, ''].join('\n');
}

/** Errors that a user can mend say all in their message; anything else is shown with where it came from. */
function explain(error: unknown): string {
  const known = [ConfigError, HomeInUseError, PortTakenError, BinaryNotFoundError];
  if (error instanceof Error && known.some((kind) => error instanceof kind)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
