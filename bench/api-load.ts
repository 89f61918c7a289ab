import autocannon from 'autocannon';

// Load on one API from a process of its own: so many connections, each with one request at a time.
// Prints the answers a second. Throws when an answer is not the wanted one.
const [given = '{}'] = process.argv.slice(2);
const load = JSON.parse(given) as {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly connections: number;
  readonly durationMs: number;
  /** Paths to ask in turn, or the word that names of what is made begin with. */
  readonly paths?: readonly string[];
  readonly makes?: string;
};

let made = 0;
const result = await autocannon({
  url: load.url,
  connections: load.connections,
  duration: load.durationMs / 1_000,
  headers: load.headers,
  requests:
    load.makes === undefined
      ? (load.paths ?? []).map((path) => ({ method: 'GET' as const, path }))
      : [
          {
            method: 'POST' as const,
            path: '/v1/campaigns',
            headers: { ...load.headers, 'content-type': 'application/json' },
            setupRequest: (request) => ({
              ...request,
              body: JSON.stringify({ name: `${load.makes} ${(made += 1)}` }),
            }),
          },
        ],
});
if (result.errors > 0 || result.non2xx > 0) {
  throw new Error(`${result.errors} requests failed and ${result.non2xx} were answered otherwise.`);
}
process.stdout.write(
  `${JSON.stringify({ answersPerSecond: result['2xx'] / result.duration, p99Ms: result.latency.p99 })}\n`,
);
