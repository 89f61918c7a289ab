import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

/** The environment as a process gets it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A secret with a name: the name travels with what the secret signed or sealed, so that keys can rotate. */
export interface NamedKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** Where Temporal is and how to reach it; the same options fit a client's and a worker's connection. */
interface TemporalConfig {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

/** What the sandbox carrier takes as credentials unless others are set; they open nothing else. */
const SANDBOX_AUTH_ID = 'MASANDBOXCARILLON001';
const SANDBOX_AUTH_TOKEN = 'c2FuZGJveC1jYXJpbGxvbi1hdXRoLXRva2Vu0001';

/** From the most to the least that is written to the logs. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * What the environment says, checked. A part that is undefined was not named: the launcher starts an embedded
 * one, and a process that needs it refuses to start (`requireParts`).
 */
export interface Config {
  readonly databaseUrl: string | undefined;
  readonly temporal: TemporalConfig | undefined;
  readonly carrier: 'sandbox' | 'plivo';
  readonly plivoAuthId: string | undefined;
  readonly plivoAuthToken: string | undefined;
  readonly plivoApiUrl: string | undefined;
  /** Whether callbacks count that are signed with the carrier's older V2 alone. */
  readonly plivoAcceptV2: boolean;
  /** Where carriers call back and fetch media, without a slash at its end. */
  readonly publicUrl: string;
  /** The first signs, all verify. Undefined: `loadKeys` keeps them in `home`. */
  readonly keys: readonly NamedKey[] | undefined;
  /** For keyed hashes; 32 bytes that never change. Undefined: `loadKeys` keeps it in `home`. */
  readonly hashKey: Buffer | undefined;
  readonly host: string;
  readonly port: number;
  readonly postgresPort: number;
  readonly temporalPort: number;
  readonly temporalUiPort: number;
  readonly sandboxPort: number;
  /** Where a worker says whether it works; undefined: nowhere. */
  readonly workerHealthPort: number | undefined;
  /** Absolute path of the folder with the data of the embedded parts. */
  readonly home: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Requests a minute that one API process answers to one key. */
  readonly requestsPerKey: number;
  /** Requests a minute that one API process answers to one address which sends no valid key. */
  readonly requestsPerAddress: number;
  /** Addresses and ranges of proxies whose word counts on whose request they pass on; empty: nobody's. */
  readonly trustedProxies: readonly string[];
}

/** A configuration with the parts that the API and the worker cannot do without. */
export type ServiceConfig = Config & { readonly databaseUrl: string; readonly temporal: TemporalConfig };

/** The environment is wrong; the message has a line for each variable and says how to mend it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The environment needs mending:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Reads the environment once. All that is wrong is said in one ConfigError; secrets are never repeated in it. */
export function readConfig(env: Environment): Config {
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const check = <Value>(name: string, parse: (value: string) => Value): Value | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    try {
      return parse(value);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  const host = text('HOST') ?? '127.0.0.1';
  const port = check('PORT', parsePort) ?? 8080;
  const carrier = check('CARRIER', (value) => parseOneOf(value, ['sandbox', 'plivo'] as const)) ?? 'sandbox';
  const config: Config = {
    databaseUrl: check('DATABASE_URL', parseDatabaseUrl),
    temporal: readTemporal(env, problems),
    carrier,
    plivoAuthId: text('PLIVO_AUTH_ID') ?? (carrier === 'sandbox' ? SANDBOX_AUTH_ID : undefined),
    plivoAuthToken: text('PLIVO_AUTH_TOKEN') ?? (carrier === 'sandbox' ? SANDBOX_AUTH_TOKEN : undefined),
    plivoApiUrl: check('PLIVO_API_URL', parseHttpUrl),
    plivoAcceptV2:
      check('PLIVO_ACCEPT_V2', (value) => parseOneOf(value, ['true', 'false'] as const)) === 'true',
    publicUrl: check('PUBLIC_URL', parseHttpUrl) ?? localUrl(host, port),
    keys: check('CARILLON_KEYS', parseKeys),
    hashKey: check('CARILLON_HASH_KEY', parseSecret),
    host,
    port,
    postgresPort: check('POSTGRES_PORT', parsePort) ?? 5455,
    temporalPort: check('TEMPORAL_PORT', parsePort) ?? 7233,
    temporalUiPort: check('TEMPORAL_UI_PORT', parsePort) ?? 8233,
    sandboxPort: check('SANDBOX_PORT', parsePort) ?? 8090,
    workerHealthPort: check('WORKER_HEALTH_PORT', parsePort),
    home: resolve(ROOT, text('CARILLON_HOME') ?? '.carillon'),
    logLevel: check('LOG_LEVEL', (value) => parseOneOf(value, LOG_LEVELS)) ?? 'info',
    requestsPerKey: check('REQUESTS_PER_KEY', parseCount) ?? REQUESTS_A_MINUTE,
    requestsPerAddress: check('REQUESTS_PER_ADDRESS', parseCount) ?? REQUESTS_A_MINUTE,
    trustedProxies: check('TRUSTED_PROXIES', parseProxies) ?? [],
  };
  if (config.carrier === 'plivo') problems.push(...missingForPlivo(config, text('PUBLIC_URL')));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The same configuration, certain to name a database and a Temporal. Throws a ConfigError that names what lacks. */
export function requireParts(config: Config): ServiceConfig {
  const { databaseUrl, temporal } = config;
  if (databaseUrl !== undefined && temporal !== undefined) return { ...config, databaseUrl, temporal };
  const problems: string[] = [];
  if (databaseUrl === undefined) {
    problems.push('DATABASE_URL is not set: give the database as postgres://user:password@host:5432/name.');
  }
  if (temporal === undefined) {
    problems.push('TEMPORAL_ADDRESS is not set: give the Temporal server as host:7233.');
  }
  throw new ConfigError([...problems, '`npm start` runs all parts on one machine and sets these by itself.']);
}

/**
 * Where a process that texts finds the carrier; undefined: Plivo itself. Throws a ConfigError for a sandbox that has no
 * address or that of Plivo: whoever asks for a sandbox must not text anybody.
 */
export function carrierUrlOf({ carrier, plivoApiUrl }: Config): string | undefined {
  const isPlivo = plivoApiUrl === undefined || /(^|\.)plivo\.com$/.test(new URL(plivoApiUrl).hostname);
  if (carrier === 'sandbox' && isPlivo) {
    throw new ConfigError([
      'PLIVO_API_URL does not name a sandbox: give its address, such as http://127.0.0.1:8090, or set CARRIER to plivo to text people.',
    ]);
  }
  return plivoApiUrl;
}

/** The carrier's credentials of the environment, which carrier accounts without their own use; null without any. */
export function defaultCredentials(
  config: Pick<Config, 'plivoAuthId' | 'plivoAuthToken'>,
): { readonly authId: string; readonly authToken: string } | null {
  const { plivoAuthId: authId, plivoAuthToken: authToken } = config;
  return authId === undefined || authToken === undefined ? null : { authId, authToken };
}

/**
 * Parses `id:base64,id:base64`: the first key signs, all verify. An id has letters, digits, `-` and `_`,
 * because it stands in the path of callbacks. Throws an Error whose message completes "CARILLON_KEYS ...".
 */
export function parseKeys(value: string): NamedKey[] {
  const keys = value.split(',').map((entry) => {
    const [, id, secret] = /^\s*([\w-]{1,32}):(\S+)\s*$/.exec(entry) ?? [];
    if (id === undefined || secret === undefined) throw new Error(KEYS_HINT);
    return { id, secret: parseSecret(secret) };
  });
  if (new Set(keys.map((key) => key.id)).size < keys.length) {
    throw new Error('names the same key id twice. Give each key an id of its own.');
  }
  return keys;
}

/** Writes keys as `parseKeys` reads them. */
export function formatKeys(keys: readonly NamedKey[]): string {
  return keys.map((key) => `${key.id}:${key.secret.toString('base64')}`).join(',');
}

/** Parses 32 bytes of base64. Throws an Error whose message completes the name of the variable. */
export function parseSecret(value: string): Buffer {
  const secret = Buffer.from(value, 'base64');
  const exact = secret.toString('base64').replace(/=+$/, '') === value.replace(/=+$/, '');
  if (secret.length !== 32 || !exact) {
    throw new Error('needs secrets of 32 bytes in base64, as `openssl rand -base64 32` makes them.');
  }
  return secret;
}

/** The URL that reaches a listener from this machine: one that listens everywhere is reached on the machine itself. */
export function localUrl(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::';
  const reachable = host.includes(':') ? `[${host}]` : host;
  return `http://${everywhere ? '127.0.0.1' : reachable}:${port}`;
}

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const KEYS_HINT = 'is a list of id:secret, separated by commas, such as k1:<32 bytes in base64>.';

function readTemporal(env: Environment, problems: string[]): TemporalConfig | undefined {
  // A file of Temporal's own counts only when somebody names it: one that lies in the home folder for other work
  // must not send campaigns to another server.
  const named = ['TEMPORAL_CONFIG_FILE', 'TEMPORAL_PROFILE'].some((name) => (env[name] ?? '') !== '');
  if ((env['TEMPORAL_ADDRESS'] ?? '') === '' && !named) return undefined;
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({
      overrideEnvVars,
      disableFile: !named,
    });
    const { address } = connectionOptions;
    if (address === undefined) {
      problems.push('TEMPORAL_ADDRESS is not set and the profile has no address: give it as host:7233.');
      return undefined;
    }
    return { address, namespace: namespace ?? 'default', connectionOptions };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push(`TEMPORAL_* cannot be read (${reason}). See Temporal's environment configuration.`);
    return undefined;
  }
}

function missingForPlivo(config: Config, publicUrl: string | undefined): string[] {
  const values = {
    PLIVO_AUTH_ID: config.plivoAuthId,
    PLIVO_AUTH_TOKEN: config.plivoAuthToken,
    PUBLIC_URL: publicUrl,
  };
  return Object.entries(values)
    .filter(([, value]) => value === undefined)
    .map(([name]) => `${name} is not set, and CARRIER=plivo needs it. Set it, or use CARRIER=sandbox.`);
}

/** A thousand a second: nobody meets it who does not run in a circle. */
const REQUESTS_A_MINUTE = 60_000;

function parseCount(value: string): number {
  const count = Number(value);
  if (!/^\d{1,9}$/.test(value) || count < 1) {
    throw new Error(`is "${value}". Give how many requests a minute are answered, from 1 to 999999999.`);
  }
  return count;
}

/** Ranges that have names of their own. */
const NAMED_RANGES = ['loopback', 'linklocal', 'uniquelocal'];

function parseProxies(value: string): string[] {
  const proxies = value.split(',').map((proxy) => proxy.trim());
  const wrong = proxies.find((proxy) => !NAMED_RANGES.includes(proxy) && !isRange(proxy));
  if (wrong === undefined) return proxies;
  throw new Error(
    `names "${wrong}". Give the addresses of your proxies, or ranges such as 10.1.0.0/16, separated by commas; loopback, linklocal and uniquelocal are such, too.`,
  );
}

/** An address, or a range of some of them: of all would let everybody name an address of his choice. */
function isRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (family === 4 ? 32 : 128);
}

function parsePort(value: string): number {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port < 1 || port > 65_535) {
    throw new Error(`is "${value}". Give a port between 1 and 65535.`);
  }
  return port;
}

function parseOneOf<const Value extends string>(value: string, allowed: readonly Value[]): Value {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`is "${value}". Give one of ${allowed.join(', ')}.`);
  return found;
}

function parseDatabaseUrl(value: string): string {
  if (!URL.canParse(value) || !['postgres:', 'postgresql:'].includes(new URL(value).protocol)) {
    throw new Error(
      'is not the URL of a PostgreSQL database. Give it as postgres://user:password@host:5432/name.',
    );
  }
  return value;
}

function parseHttpUrl(value: string): string {
  if (!URL.canParse(value) || !['http:', 'https:'].includes(new URL(value).protocol)) {
    throw new Error('is not a URL. Give it as https://host or http://host:port.');
  }
  return value.replace(/\/+$/, '');
}
