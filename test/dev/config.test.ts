import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  carrierUrlOf,
  ConfigError,
  formatKeys,
  parseKeys,
  readConfig,
  requireParts,
  type Environment,
} from '../../config.ts';

const secret = randomBytes(32).toString('base64');

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('configuration', () => {
  it('an empty environment is the sandbox on the default ports', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      carrier: 'sandbox',
      host: '127.0.0.1',
      port: 8080,
      temporalPort: 7233,
      temporalUiPort: 8233,
      sandboxPort: 8090,
      publicUrl: 'http://127.0.0.1:8080',
      databaseUrl: undefined,
      temporal: undefined,
      logLevel: 'info',
    });
    expect(config.home).toMatch(/\/\.carillon$/);
  });

  it.each<[string, Environment]>([
    ['PORT', { PORT: 'http' }],
    ['PORT', { PORT: '0' }],
    ['TEMPORAL_PORT', { TEMPORAL_PORT: '65536' }],
    ['SANDBOX_PORT', { SANDBOX_PORT: '80.5' }],
    ['CARRIER', { CARRIER: 'twilio' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://somewhere/db' }],
    ['DATABASE_URL', { DATABASE_URL: 'localhost' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'carillon.example' }],
    ['PLIVO_API_URL', { PLIVO_API_URL: 'ftp://plivo.example' }],
    ['PLIVO_ACCEPT_V2', { PLIVO_ACCEPT_V2: 'TRUE' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: 'proxy.example' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '10.0.0.5,10.1.0.0/33' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '0.0.0.0/0' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '2' }],
    ['CARILLON_KEYS', { CARILLON_KEYS: 'k1' }],
    ['CARILLON_KEYS', { CARILLON_KEYS: `k1:${Buffer.from('short').toString('base64')}` }],
    ['CARILLON_KEYS', { CARILLON_KEYS: `k1:${secret},k1:${secret}` }],
    ['CARILLON_HASH_KEY', { CARILLON_HASH_KEY: 'not base64 of 32 bytes' }],
    ['PLIVO_AUTH_ID', { CARRIER: 'plivo', PLIVO_AUTH_TOKEN: 't', PUBLIC_URL: 'https://c.example' }],
    ['PUBLIC_URL', { CARRIER: 'plivo', PLIVO_AUTH_TOKEN: 't', PLIVO_AUTH_ID: 'i' }],
  ])('a wrong or missing %s is named: %j', (variable, env) => {
    const problems = problemsOf(() => readConfig(env));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${variable} `));
  });

  it('proxies are trusted by their addresses, ranges and names, and nobody is unless named', () => {
    const trusted = (TRUSTED_PROXIES: string) => readConfig({ TRUSTED_PROXIES }).trustedProxies;
    expect(trusted('10.0.0.5, 10.1.0.0/16,fd00::/8,loopback')).toEqual([
      '10.0.0.5',
      '10.1.0.0/16',
      'fd00::/8',
      'loopback',
    ]);
    expect(trusted('')).toEqual([]);
  });

  it('all that is wrong is said at once', () => {
    expect(problemsOf(() => readConfig({ PORT: 'x', CARRIER: 'y', LOG_LEVEL: 'z' }))).toHaveLength(3);
  });

  it('no error repeats a secret', () => {
    const env = {
      DATABASE_URL: 'pg://u:hunter2@h/d',
      CARILLON_KEYS: 'k1:hunter2',
      CARILLON_HASH_KEY: 'hunter2',
    };
    expect(problemsOf(() => readConfig(env)).join()).not.toContain('hunter2');
  });

  it('an empty variable is an unset one', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '', TEMPORAL_ADDRESS: '' })).toEqual(readConfig({}));
  });

  it("Temporal's address, namespace and key are taken from its own variables", () => {
    const env = {
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_NAMESPACE: 'sms',
      TEMPORAL_API_KEY: 'key',
    };
    const { temporal } = readConfig(env);
    expect(temporal).toMatchObject({ address: 'temporal.example:7233', namespace: 'sms' });
    expect(temporal?.connectionOptions).toMatchObject({ address: 'temporal.example:7233', apiKey: 'key' });
  });

  it('a process without a database or a Temporal is told which to set', () => {
    const problems = problemsOf(() => requireParts(readConfig({}))).join('\n');
    expect(problems).toContain('DATABASE_URL');
    expect(problems).toContain('TEMPORAL_ADDRESS');
  });

  it.each([{}, { PLIVO_API_URL: 'https://api.plivo.com' }, { PLIVO_API_URL: 'https://plivo.com/' }])(
    'a worker of a sandbox texts nobody by Plivo, as %j would have it',
    (env) => {
      const [problem] = problemsOf(() => carrierUrlOf(readConfig(env)));
      expect(problem).toMatch(/^PLIVO_API_URL .*CARRIER/);
    },
  );

  it('a worker asks the carrier that is named, and Plivo itself where none is', () => {
    const plivo = {
      CARRIER: 'plivo',
      PLIVO_AUTH_ID: 'i',
      PLIVO_AUTH_TOKEN: 't',
      PUBLIC_URL: 'https://c.example',
    };
    expect(carrierUrlOf(readConfig(plivo))).toBe(undefined);
    const PLIVO_API_URL = 'http://sandbox:8090';
    expect(carrierUrlOf(readConfig({ ...plivo, PLIVO_API_URL }))).toBe(PLIVO_API_URL);
    expect(carrierUrlOf(readConfig({ PLIVO_API_URL }))).toBe(PLIVO_API_URL);
  });

  it("callbacks that are signed with the carrier's older V2 alone count only if that is said", () => {
    expect(readConfig({}).plivoAcceptV2).toBe(false);
    expect(readConfig({ PLIVO_ACCEPT_V2: 'true' }).plivoAcceptV2).toBe(true);
  });

  it('keys are read as they were written, in their order', () => {
    const keys = ['new', 'old', 'older'].map((id) => ({ id, secret: randomBytes(32) }));
    expect(parseKeys(formatKeys(keys))).toEqual(keys);
  });

  it('a host that listens everywhere is reached on this machine', () => {
    expect(readConfig({ HOST: '0.0.0.0', PORT: '9000' }).publicUrl).toBe('http://127.0.0.1:9000');
    expect(readConfig({ PUBLIC_URL: 'https://sms.example/' }).publicUrl).toBe('https://sms.example');
  });
});
