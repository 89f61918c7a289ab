import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld, type Operation, type Route, routesOf } from './api-world.ts';
import { pathWith, ROUTE_CASES } from './route-table.ts';
import { createThings, type Things } from './seeded-things.ts';

const PROBLEM = 'application/problem+json';

let world: ApiWorld;
let things: Things;
let routes: Route[];

beforeAll(async () => {
  world = await openApiWorld();
  things = await createThings(world.mine);
  routes = routesOf(world.document);
});
afterAll(() => world.close());

const idOf = (route: Route): string => route.operation.operationId ?? `${route.method} ${route.path}`;
const isPublic = (route: Route): boolean => ROUTE_CASES[idOf(route)]?.scope === 'public';
const answersOf = ({ operation }: Route) => Object.entries(operation.responses ?? {});
const statusesOf = (route: Route): number[] => answersOf(route).map(([status]) => Number(status));
const parametersOf = ({ operation }: Route, place: string): string[] =>
  (operation.parameters ?? []).filter((one) => one.in === place).map((one) => one.name);
/** The operations that break a rule, by id. */
const breaking = (rule: (route: Route) => boolean): string[] => routes.filter(rule).map(idOf);

describe('the OpenAPI document', () => {
  test('is one of OpenAPI 3.1, with a title, a version and a licence', () => {
    const { openapi, info, security, components } = world.document;
    expect(openapi).toMatch(/^3\.1\.\d+$/);
    expect(info).toMatchObject({ title: 'Carillon', license: { identifier: 'Apache-2.0' } });
    expect(String(info['version'])).toMatch(/^\d+\.\d+\.\d+$/);
    expect(security).toEqual([{ key: [] }]);
    expect(components.securitySchemes).toMatchObject({ key: { type: 'http', scheme: 'bearer' } });
  });

  test('has every route that the app answers, and no other', () => {
    const documented = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    const answered = world.routes.filter((route) => !/^HEAD | \/docs| \/openapi\.json$/.test(route));
    expect(answered.length).toBeGreaterThan(60);
    expect(new Set(documented)).toEqual(new Set(answered));
  });

  test('names each operation once, and says of each what it is and where it belongs', () => {
    const ids = routes.map((route) => route.operation.operationId ?? '');
    expect(ids.filter((id, index) => id === '' || ids.indexOf(id) !== index)).toEqual([]);
    expect(breaking(({ operation }) => !/^[A-Z].{2,}[^.]$/.test(operation.summary ?? ''))).toEqual([]);
    const tags = world.document.tags.filter((tag) => (tag.description ?? '') !== '').map((tag) => tag.name);
    expect(breaking(({ operation }) => operation.tags?.length !== 1)).toEqual([]);
    expect(breaking(({ operation }) => !tags.includes(operation.tags?.[0] ?? ''))).toEqual([]);
  });

  test('declares every part of a path, as required', () => {
    expect(
      breaking((route) => {
        const parts = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const declared = (route.operation.parameters ?? []).filter((one) => one.in === 'path');
        const isRequired = declared.every((one) => one.required === true);
        return !isRequired || parts.join() !== declared.map((one) => one.name).join();
      }),
    ).toEqual([]);
  });

  test('says which operations need a key: all but those that anybody may call', () => {
    expect(breaking((route) => isPublic(route) !== isOpen(route.operation))).toEqual([]);
  });

  test('gives examples that their own schemas take', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const faults: string[] = [];
    const seen = new Set<string>();
    const look = (value: unknown, place: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('examples' in value && Array.isArray(value.examples) && !seen.has(JSON.stringify(value))) {
        seen.add(JSON.stringify(value));
        for (const example of value.examples) {
          if (!ajv.validate(value, example)) faults.push(`${place}: ${ajv.errorsText()}`);
        }
      }
      for (const [name, inner] of Object.entries(value)) look(inner, `${place}/${name}`);
    };
    for (const route of routes) look(route.operation, idOf(route));
    expect(faults).toEqual([]);
    expect(seen.size).toBeGreaterThan(50);
  });

  test('gives the schema of each answer, in JSON Schema 2020-12, and says what it means', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    expect(breaking((route) => !statusesOf(route).some((status) => status >= 200 && status < 300))).toEqual(
      [],
    );
    const faults = routes.flatMap((route) =>
      answersOf(route).flatMap(([status, answer]) => {
        const [content] = Object.values(answer.content ?? {});
        const isEmpty = status === '204' || status === '304' ? false : content?.schema === undefined;
        const isValid = content?.schema === undefined || ajv.validateSchema(content.schema) === true;
        const isNamed = /^[A-Z]/.test(answer.description ?? '') && answer.description !== 'Default Response';
        return !isEmpty && isValid && isNamed ? [] : [`${idOf(route)} ${status}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  test('lists the problems of each operation, as problems', () => {
    const lacks = (route: Route, status: number) => !statusesOf(route).includes(status);
    expect(
      breaking((route) => !isPublic(route) && [400, 401, 403, 500].some((one) => lacks(route, one))),
    ).toEqual([]);
    expect(breaking((route) => ROUTE_CASES[idOf(route)]?.ids !== undefined && lacks(route, 404))).toEqual([]);
    expect(
      breaking((route) => route.operation.requestBody !== undefined && lacks(route, 400) && !isPublic(route)),
    ).toEqual([]);
    const untyped = routes.flatMap((route) =>
      answersOf(route)
        .filter(
          ([status, answer]) => Number(status) >= 400 && Object.keys(answer.content ?? {}).join() !== PROBLEM,
        )
        .map(([status]) => `${idOf(route)} ${status}`),
    );
    expect(untyped).toEqual([]);
  });

  test('shows the headers that say for whom and by whom, which version and which request', () => {
    const has = (route: Route, name: string) => parametersOf(route, 'header').includes(name);
    expect(breaking((route) => has(route, 'Carillon-Account') === isPublic(route))).toEqual([]);
    expect(breaking((route) => has(route, 'If-Match') !== statusesOf(route).includes(412))).toEqual([]);
    const keeping = breaking((route) => has(route, 'Idempotency-Key'));
    expect(keeping).toEqual(
      expect.arrayContaining(['createContact', 'createCampaign', 'launchCampaign', 'uploadMedia']),
    );
    expect(keeping.filter((id) => /^(create|rotate)\w*Key$/.test(id))).toEqual([]);
  });

  test('shows what a body is, also of a file', () => {
    const bodies = ['POST', 'PATCH', 'PUT'];
    const without = breaking(
      ({ method, operation }) => bodies.includes(method) && operation.requestBody === undefined,
    );
    const bodiless = ['enableAccount', 'leaveParent', 'acknowledgeAlert'];
    expect(new Set(without)).toEqual(new Set(bodiless));
    const files = breaking(
      ({ operation }) => 'application/octet-stream' in (operation.requestBody?.content ?? {}),
    );
    expect(new Set(files)).toEqual(new Set(['uploadMedia', 'putImportContent', 'importPairs']));
  });

  test('tells the truth: what the API answers has the shape that is documented', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const reads = routes.filter((route) => route.method === 'GET' && !isDownload(route.operation));
    const faults: string[] = [];
    for (const route of reads) {
      const call = ROUTE_CASES[idOf(route)]?.scope === 'operator' ? world.operator : world.mine.call;
      const reply = await call('GET', pathWith(route, things));
      const schema = route.operation.responses?.[String(reply.status)]?.content?.[reply.type]?.schema;
      if (schema === undefined)
        faults.push(`${idOf(route)}: ${reply.status} ${reply.type} is not documented`);
      else if (!ajv.validate(schema, reply.type.includes('json') ? reply.body : reply.body['text']))
        faults.push(`${idOf(route)}: ${ajv.errorsText()}`);
    }
    expect(faults).toEqual([]);
    expect(reads.length).toBeGreaterThan(20);
  });

  test('is shown as pages that can be tried out', async () => {
    const page = await world.anonymous('GET', '/docs/');
    expect(page).toMatchObject({ status: 200, type: 'text/html' });
  });
});

/** What it answers with is text for another program, of which a schema says nothing. */
function isDownload(operation: Operation): boolean {
  return 'text/csv' in (operation.responses?.['200']?.content ?? {});
}

function isOpen(operation: Operation): boolean {
  return operation.security !== undefined && operation.security.length === 0;
}
