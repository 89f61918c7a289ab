import { startChild } from '../../../dev/child.ts';

// Starts a child that ignores every polite signal, and says its pid.
const [home = ''] = process.argv.slice(2);
const child = await startChild({
  name: 'A stubborn child',
  slug: 'stubborn',
  home,
  command: '/bin/sh',
  args: ['-c', 'trap "" TERM INT; while :; do sleep 0.1; done'],
  env: process.env,
  cwd: '/',
  stopSignal: 'SIGTERM',
  graceMs: 400,
});
process.stdout.write(`${child.pid}\n`);
setInterval(() => undefined, 60_000);
