import { join } from 'node:path';
import { formatKeys, readConfig, type Config, type Environment } from '../config.ts';
import type { Keys } from '../keys.ts';
import { freePorts, type WantedPort } from './ports.ts';

/** Names of the parts, in the order in which they start; they end in the opposite one. */
export const PART_NAMES = ['postgres', 'temporal', 'sandbox', 'worker', 'api'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** A part of the system that listens, with the variable that changes its port. */
const LISTENERS = [
  { part: 'postgres', variable: 'POSTGRES_PORT', what: 'PostgreSQL' },
  { part: 'temporal', variable: 'TEMPORAL_PORT', what: 'Temporal' },
  { part: 'temporal', variable: 'TEMPORAL_UI_PORT', what: "Temporal's UI" },
  { part: 'sandbox', variable: 'SANDBOX_PORT', what: 'the sandbox carrier' },
  { part: 'api', variable: 'PORT', what: 'the API' },
] as const;

/** The configuration of a system on one machine. Throws a ConfigError. */
export async function readSystemConfig(
  env: Environment,
  home: string | undefined,
  ports: 'default' | 'free',
): Promise<Config> {
  return readConfig({
    ...env,
    ...(ports === 'free' ? await freePortSettings() : {}),
    ...(home === undefined ? {} : { CARILLON_HOME: home }),
  });
}

/** Settings that give every part a free port, for a system that runs beside others. */
export async function freePortSettings(): Promise<Record<string, string>> {
  const free = await freePorts(LISTENERS.length);
  return Object.fromEntries(LISTENERS.map(({ variable }, index) => [variable, String(free[index])]));
}

/** The parts that the environment names: they are used and not started. */
export function givenParts(config: Config): ReadonlySet<PartName> {
  const given = new Set<PartName>();
  if (config.databaseUrl !== undefined) given.add('postgres');
  if (config.temporal !== undefined) given.add('temporal');
  if (config.carrier === 'plivo' || config.plivoApiUrl !== undefined) given.add('sandbox');
  return given;
}

/** The ports that the parts started here will listen on. */
export function wantedPorts(config: Config, given: ReadonlySet<PartName>): WantedPort[] {
  const ports = {
    POSTGRES_PORT: config.postgresPort,
    TEMPORAL_PORT: config.temporalPort,
    TEMPORAL_UI_PORT: config.temporalUiPort,
    SANDBOX_PORT: config.sandboxPort,
    PORT: config.port,
  };
  return LISTENERS.filter(({ part }) => !given.has(part)).map(({ part, variable, what }) => ({
    variable,
    part: what,
    port: ports[variable],
    host: part === 'api' ? config.host : '127.0.0.1',
  }));
}

/** What the environment of our processes says, once every part has its place. */
export interface PartAddresses {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly plivoApiUrl: string | undefined;
}

/** The environment that our processes get: what we got, and where the parts are that were started. */
export function serviceEnvironment(
  env: Environment,
  config: Config,
  keys: Keys,
  addresses: PartAddresses,
): NodeJS.ProcessEnv {
  const said: Record<string, string | undefined> = {
    DATABASE_URL: addresses.databaseUrl,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    PLIVO_API_URL: addresses.plivoApiUrl,
    CARRIER: config.carrier,
    PLIVO_AUTH_ID: config.plivoAuthId,
    PLIVO_AUTH_TOKEN: config.plivoAuthToken,
    PUBLIC_URL: config.publicUrl,
    CARILLON_KEYS: formatKeys(keys.all),
    CARILLON_HASH_KEY: keys.hashKey.toString('base64'),
    CARILLON_HOME: config.home,
    HOST: config.host,
    PORT: String(config.port),
    SANDBOX_PORT: String(config.sandboxPort),
    // Texts on their way, and what became of the others, outlive the sandbox as they outlive a carrier's restart.
    SANDBOX_LEDGER_FILE: env['SANDBOX_LEDGER_FILE'] ?? join(config.home, 'sandbox-ledger.ndjson'),
    LOG_LEVEL: config.logLevel,
    TZ: 'UTC',
  };
  return { ...env, ...said };
}
