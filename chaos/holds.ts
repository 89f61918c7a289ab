import { createRandom } from '../carrier/sandbox/random.ts';
import { setUpAccount } from './account.ts';
import { withChaosSystem } from './chaos-system.ts';
import { prepareHoldRounds, scopeOf } from './hold-round.ts';

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
  const random = createRandom(options.seed);
  options.say(`Holds against ${WORKERS} workers, ${options.rounds} rounds, seed ${options.seed}.`);
  await withChaosSystem({ workers: WORKERS, temporalInMemory: true }, async ({ urls, firstKeys }) => {
    if (urls.sandbox === undefined || firstKeys === null) throw new Error('The system is not a fresh one.');
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
  });
}
