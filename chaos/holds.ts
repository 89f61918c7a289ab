import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from '../dev/launcher.ts';
import { removeOutsidePlace } from '../dev/postgres-place.ts';
import { setUpAccount } from './account.ts';
import { prepareHoldRounds, scopeOf } from './hold-round.ts';
import { startMoreWorkers } from './more-workers.ts';
import { randomOf } from './random.ts';

const WORKERS = 4;
/** The carrier takes 60 requests a second of an account, so a round of two campaigns lasts some 14 seconds. */
const RECIPIENTS = 400;
const SEGMENTS_PER_SECOND = 600;

/** Places a hold at a random moment while four workers send, again and again, and compares with the carrier's ledger. */
export async function chaosOfHolds(options: {
  readonly rounds: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'carillon-chaos-'));
  // The database server's user has to get in when this runs as root.
  await chmod(home, 0o711);
  const random = randomOf(options.seed);
  options.say(`Holds against ${WORKERS} workers, ${options.rounds} rounds, seed ${options.seed}.`);
  try {
    const system = await startSystem({
      home,
      ports: 'free',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
      temporalInMemory: true,
      progress: () => undefined,
    });
    try {
      const workers = await startMoreWorkers(system, WORKERS - 1, { apiUrl: system.urls.sandbox ?? '' });
      try {
        const { urls, firstKeys } = system;
        if (urls.sandbox === undefined || firstKeys === null)
          throw new Error('The system is not a fresh one.');
        const account = await setUpAccount(
          { apiUrl: urls.api, sandboxUrl: urls.sandbox, operatorKey: firstKeys.operatorKey },
          SEGMENTS_PER_SECOND,
        );
        const rounds = await prepareHoldRounds(account, RECIPIENTS);
        for (let round = 0; round < options.rounds; round += 1) {
          const acceptedBefore = 1 + Math.floor(random() * RECIPIENTS * 0.5);
          const name = `Round ${round + 1}`;
          const seen = await rounds.run({ name, scope: scopeOf(round), acceptedBefore });
          options.say(
            `${name}: ${seen.scope} held after ${seen.before} texts; named ${seen.inFlight}, ${seen.after} went out.`,
          );
        }
        options.say(`Nothing went out beyond what was named, and everybody was texted once in the end.`);
      } finally {
        await workers.stop();
      }
    } finally {
      await system.stop();
    }
  } finally {
    await removeOutsidePlace(home);
    await rm(home, { recursive: true, force: true });
  }
}
