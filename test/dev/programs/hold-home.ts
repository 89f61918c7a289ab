import { lockHome } from '../../../dev/home-lock.ts';

// Locks the home folder that it is given and keeps it until it is killed; says how that went.
const [home = ''] = process.argv.slice(2);
const answer = await lockHome(home).then(
  () => 'locked',
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);
process.stdout.write(`${answer}\n`);
setInterval(() => undefined, 60_000);
