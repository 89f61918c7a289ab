import { startEmbeddedPostgres } from '../../../dev/embedded-postgres.ts';
import { freePorts } from '../../../dev/ports.ts';

// Starts an embedded PostgreSQL on the home folder that it is given, and says its pid and its address.
const [home = ''] = process.argv.slice(2);
const [port = 0] = await freePorts(1);
const { child, url } = await startEmbeddedPostgres({ home, port, progress: () => undefined });
process.stdout.write(`${child.pid}\n${url}\n`);
setInterval(() => undefined, 60_000);
