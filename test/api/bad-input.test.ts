import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROBLEMS } from '../../api/problem.ts';
import { type ApiWorld, openApiWorld, routesOf } from './api-world.ts';
import { BAD_REQUESTS, type BadInput, fill } from './bad-requests.ts';
import { BAD_VALUES } from './bad-values.ts';
import { pathWith, ROUTE_CASES } from './route-table.ts';
import { createThings, type Things } from './seeded-things.ts';

const FUZZ_RUNS = 200;

let world: ApiWorld;
let things: Things;

beforeAll(async () => {
  world = await openApiWorld();
  things = await createThings(world.mine);
});
afterAll(() => world.close());

interface FieldError {
  readonly pointer: string;
  readonly message: string;
}

/** Sends it and returns status, code and pointers, and whatever else is wrong with the answer. */
async function send(
  input: BadInput,
): Promise<{ readonly answer: string; readonly faults: readonly string[] }> {
  const [method = '', path = ''] = input.at.split(' ');
  const body: unknown =
    input.body === undefined || typeof input.body === 'string'
      ? input.body
      : JSON.parse(fill(JSON.stringify(input.body), things));
  const call = input.by === 'operator' ? world.operator : world.mine.call;
  const reply = await call(method, fill(path, things), {
    body,
    ...(input.type === undefined ? {} : { headers: { 'content-type': input.type } }),
  });
  const { code, detail, status, title, type } = reply.body;
  const errors = (reply.body['errors'] ?? []) as readonly FieldError[];
  const pointers = errors.map((error) => error.pointer);
  const faults = [
    ...(reply.type === 'application/problem+json' ? [] : [`the type ${reply.type}`]),
    ...(status === reply.status ? [] : ['another status in the body']),
    ...(typeof code === 'string' && code in PROBLEMS ? [] : ['an unknown code']),
    ...(type === `urn:carillon:problem:${String(code)}` ? [] : ['another type']),
    ...(typeof title === 'string' && isSentence(detail) ? [] : ['no words on how to mend it']),
    ...(errors.every((error) => isSentence(error.message))
      ? []
      : ['a field without words on how to mend it']),
    ...(errors.some((error) => /anyOf|type null/.test(error.message)) ? ['words of the validator'] : []),
    ...(input.pointer === undefined || pointers.includes(input.pointer)
      ? []
      : [`it names ${JSON.stringify(pointers)}`]),
  ];
  return { answer: `${reply.status} ${String(code)}`, faults };
}

function isSentence(text: unknown): boolean {
  return typeof text === 'string' && /^[A-Z].{8,}[.)]$/su.test(text);
}

test.each([...BAD_REQUESTS, ...BAD_VALUES])(
  '$what to $at is refused, named and changes nothing',
  async (input) => {
    const before = await world.snapshot();
    const asked = world.asked.length;
    expect(await send(input)).toEqual({ answer: input.answer, faults: [] });
    expect(await world.snapshot()).toEqual(before);
    expect(world.asked).toHaveLength(asked);
  },
);

/** An acceptable body with something wild in the place of one of its fields. */
function spoil(body: unknown, place: number, wild: unknown): unknown {
  const fields = Object.keys(body ?? {});
  const field = fields[place % Math.max(fields.length, 1)];
  return field === undefined ? wild : Object.assign({}, body, { [field]: wild });
}

test('no body whatever makes a POST or PATCH route fail on our side', async () => {
  const routes = routesOf(world.document).filter(({ method }) => method === 'POST' || method === 'PATCH');
  expect(routes.length).toBeGreaterThan(30);
  const fields = fc.constantFrom(
    'name',
    'number',
    'text',
    'listIds',
    'schedule',
    'local',
    'zone',
    'messages',
    'start',
    'overdue',
    'custom',
    'mapping',
    'contactIds',
    'scopes',
    'quietHours',
    'spendLimit',
    'expiresAfterMs',
    'timeZone',
    'address',
    'type',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('', '\u0000', '\ud800', '__proto__', '2027-02-30T10:00', 'UTC', '{{', '+1', 'a@b', 'now'),
  );
  const leaf = fc.oneof(texts, fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.oneof({ weight: 4, arbitrary: fields }, { weight: 1, arbitrary: texts }),
        tie('value'),
        { maxKeys: 4 },
      ),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), value, fc.option(fc.nat()), async (route, wild, place) => {
      const guard = ROUTE_CASES[route.operation.operationId ?? ''];
      const call = guard?.scope === 'operator' ? world.operator : world.mine.call;
      const body = place === null ? wild : spoil(guard?.body?.(things) ?? {}, place, wild);
      const reply = await call(route.method, pathWith(route, things), {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      expect([route.operation.operationId, reply.status < 500]).toEqual([route.operation.operationId, true]);
    }),
    { numRuns: FUZZ_RUNS, seed: 20_270_112 },
  );
});
