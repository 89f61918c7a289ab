import { mkdir } from 'node:fs/promises';
import { localUrl, type Config, type Environment } from '../config.ts';
import { bootstrap } from '../db/bootstrap.ts';
import { migrateToLatest } from '../db/migrate.ts';
import { loadKeys } from '../keys.ts';
import { endLeftovers, type Child } from './child.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { lockHome } from './home-lock.ts';
import { assertPortsFree } from './ports.ts';
import { startService } from './service.ts';
import { supervise, type Part, type PartStart } from './supervisor.ts';
import {
  PART_NAMES,
  givenParts,
  readSystemConfig,
  serviceEnvironment,
  wantedPorts,
  type PartName,
} from './system-config.ts';
import { findTemporalCli } from './temporal-binaries.ts';
import { startTemporalServer } from './temporal-server.ts';

/** How a whole system is started. */
export interface SystemOptions {
  /** The folder with all data; CARILLON_HOME, else `.carillon` in the checkout, unless given. */
  readonly home?: string;
  /** `default`: those of the environment, and one that is taken is an error. `free`: any. */
  readonly ports: 'default' | 'free';
  readonly env: Environment;
  readonly progress: (line: string) => void;
  /** For tests: an embedded Temporal that keeps nothing. */
  readonly temporalInMemory?: boolean;
  /** Aborted when the start is no longer wanted: what runs by then is ended, and `startSystem` throws. */
  readonly signal?: AbortSignal;
}

/** A system that runs. */
export interface System {
  readonly home: string;
  readonly urls: SystemUrls;
  /** The keys that the first start made; null at every later one. */
  readonly firstKeys: Awaited<ReturnType<typeof bootstrap>>;
  /** The parts that run here; one that the environment names is missing. */
  readonly parts: ReadonlyMap<PartName, Part>;
  /** One part; throws an Error when the environment names it, so that it is not ours to steer. */
  part(name: PartName): Part;
  /** Ends all parts in order. */
  stop(): Promise<void>;
}

/** Where a system is reached; undefined is what the environment names and we do not know. */
interface SystemUrls {
  readonly api: string;
  readonly database: string;
  /** host:port of the gRPC front end. */
  readonly temporalAddress: string;
  readonly temporalUi: string | undefined;
  readonly sandbox: string | undefined;
}

/**
 * Starts everything that the environment does not name, on this machine, and returns once all of it works. Throws
 * what is wrong (a ConfigError, HomeInUseError, PortTakenError, BinaryNotFoundError or an Error with the end of a
 * log) after ending what it had started.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const config = await readSystemConfig(options.env, options.home, options.ports);
  await mkdir(config.home, { recursive: true, mode: 0o711 });
  const lock = await lockHome(config.home);
  const given = givenParts(config);
  const parts = new Map<PartName, Part>();
  const stop = async (): Promise<void> => {
    for (const name of PART_NAMES.toReversed()) await parts.get(name)?.stop();
    await lock.release();
  };
  try {
    await endLeftovers(config.home);
    await assertPortsFree(wantedPorts(config, given));
    const { urls, firstKeys } = await startParts({ options, config, given, parts });
    return { home: config.home, urls, firstKeys, parts, part: (name) => partOf(parts, name), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the steps of a start share. */
interface Launch {
  readonly options: SystemOptions;
  readonly config: Config;
  readonly given: ReadonlySet<PartName>;
  readonly parts: Map<PartName, Part>;
}

const SERVICES = {
  sandbox: { name: 'The sandbox carrier', script: 'carrier/sandbox/server.ts' },
  worker: { name: 'The worker', script: 'worker.ts' },
  api: { name: 'The API', script: 'api/server.ts' },
} as const;

async function startParts(launch: Launch): Promise<Pick<System, 'urls' | 'firstKeys'>> {
  const { config, options, given } = launch;
  const keys = await loadKeys(config);
  const [databaseUrl, temporal] = await allOrError([startDatabase(launch), startTemporal(launch)]);
  await migrateToLatest(databaseUrl);
  const sandbox = given.has('sandbox') ? undefined : `http://127.0.0.1:${config.sandboxPort}`;
  const plivoApiUrl = config.plivoApiUrl ?? sandbox;
  const firstKeys = await bootstrap(databaseUrl);
  options.signal?.throwIfAborted();
  const addresses = { databaseUrl, temporalAddress: temporal.address, plivoApiUrl };
  const env = serviceEnvironment(options.env, config, keys, addresses);
  const services = (['sandbox', 'worker', 'api'] as const).filter((name) => !given.has(name));
  await allOrError(
    services.map((name) => {
      const service = { ...SERVICES[name], slug: name, home: config.home, env };
      return startPart(launch, name, service.name, (start) => startService(service, start));
    }),
  );
  const temporalUi = temporal.uiUrl;
  const api = localUrl(config.host, config.port);
  return {
    firstKeys,
    urls: { api, database: databaseUrl, temporalAddress: temporal.address, temporalUi, sandbox },
  };
}

async function startDatabase(launch: Launch): Promise<string> {
  const { config, options } = launch;
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  let url = '';
  await startPart(launch, 'postgres', 'PostgreSQL', async () => {
    const { home, postgresPort: port } = config;
    const server = await startEmbeddedPostgres({ home, port, progress: options.progress });
    url = server.url;
    return server.child;
  });
  return url;
}

async function startTemporal(launch: Launch): Promise<{ address: string; uiUrl: string | undefined }> {
  const { config, options } = launch;
  if (config.temporal !== undefined) return { address: config.temporal.address, uiUrl: undefined };
  const { progress, signal } = options;
  const binary = await findTemporalCli({ env: { ...options.env }, progress, ...(signal && { signal }) });
  const { home, temporalPort: port, temporalUiPort: uiPort } = config;
  const inMemory = options.temporalInMemory ?? false;
  await startPart(launch, 'temporal', 'Temporal', async () => {
    const server = await startTemporalServer({ home, binary, port, uiPort, inMemory });
    return server.child;
  });
  return { address: `127.0.0.1:${port}`, uiUrl: `http://127.0.0.1:${uiPort}` };
}

/** Starts a part, known to the system from its first moment on, so that a failure elsewhere ends it too. */
async function startPart(
  launch: Launch,
  partName: PartName,
  name: string,
  start: (options: PartStart) => Promise<Child>,
): Promise<void> {
  const { progress, signal } = launch.options;
  signal?.throwIfAborted();
  const part = supervise({ name, start, progress });
  launch.parts.set(partName, part);
  const onAbort = (): void => void part.stop().catch(() => undefined);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await part.start();
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  signal?.throwIfAborted();
}

/** Like Promise.all, but returns or throws only when nothing is under way any more. */
async function allOrError<const Values extends readonly Promise<unknown>[]>(
  promises: Values,
): Promise<{ -readonly [Index in keyof Values]: Awaited<Values[Index]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function partOf(parts: ReadonlyMap<PartName, Part>, name: PartName): Part {
  const part = parts.get(name);
  if (part === undefined) throw new Error(`The part "${name}" does not run here: the environment names one.`);
  return part;
}
