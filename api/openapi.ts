import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { ProblemOutput } from './problem.ts';

/** The frame of the OpenAPI document; the routes' schemas fill it. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  transform: ({ schema, url, route }) => ({ url, schema: withHeadersAndBody(schema, route) }),
  transformObject: (document) => {
    if (!('openapiObject' in document)) return document.swaggerObject;
    for (const operations of Object.values(document.openapiObject.paths ?? {})) {
      for (const operation of Object.values(operations ?? {})) {
        if (typeof operation === 'object' && 'responses' in operation) nameAnswers(operation.responses ?? {});
      }
    }
    return document.openapiObject;
  },
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Carillon',
      version: '0.1.0',
      description:
        'Durable SMS campaigns: nobody is texted twice, nobody is forgotten, nobody is texted when he must not be. Requests are counted by key, and by address where there is none: `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds) say in each answer what is left of the minute, `RateLimit` and `RateLimit-Policy` the same in one line. Each API process counts for itself, so several answer as many times more.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key, such as crl_..._....' },
      },
    },
    security: [{ key: [] }],
    tags: [
      { name: 'campaigns', description: 'Campaigns, their messages and reports.' },
      { name: 'actions', description: 'What steers a campaign.' },
      { name: 'holds', description: 'Stop anything at once: each hold closes a gate until it is lifted.' },
      { name: 'contacts', description: 'Contacts, lists and imports.' },
      { name: 'suppressions', description: 'Numbers that must not be texted, and why.' },
      { name: 'account', description: 'The account, its people, keys, senders, quotas and media.' },
      { name: 'sub-accounts', description: 'Parents and their sub-accounts, and what these let them see.' },
      {
        name: 'central-send',
        description: 'What a parent sends for its sub-accounts, and to which lists of theirs.',
      },
      { name: 'oversight', description: 'The log, and alerts of what needs somebody.' },
      { name: 'installation', description: "What an operator's key sets up." },
      { name: 'carrier', description: 'Where the carrier calls back.' },
      { name: 'health', description: 'Whether this process lives and can work.' },
    ],
  },
};

const HEADERS = {
  'Carillon-Account': Type.String({
    description:
      "The account that an operator's key acts for, or the sub-account that its parent's key acts for.",
  }),
  'Carillon-Person': Type.String({
    description: 'Who acts, of the people of the account; else the key does.',
  }),
  'Idempotency-Key': Type.String({
    maxLength: 200,
    description: 'Kept 7 days: the same key and body get the stored answer, so a repeated request is safe.',
  }),
  'If-Match': Type.String({ description: 'The ETag that was read; a change of anything newer is refused.' }),
};
const MEANINGS: Readonly<Record<string, string>> = {
  200: 'The answer.',
  201: 'It is made.',
  202: 'The order stands and is carried out soon.',
  204: 'It is done; there is nothing to say.',
  206: 'The part that was asked for.',
  304: 'It is what the ETag names.',
};

/** What no schema of a route holds, because it is not validated there: common headers, and bodies that are files. */
function withHeadersAndBody(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  if (schema === undefined || schema.hide === true || route.config?.scope === 'public') return schema ?? {};
  const answers = typeof schema.response === 'object' && schema.response !== null ? schema.response : {};
  const named = ['Carillon-Account', 'Carillon-Person'];
  const keepsAnswer = route.config?.keepsNoAnswer !== true && '409' in answers && '422' in answers;
  if (route.method === 'POST' && keepsAnswer) named.push('Idempotency-Key');
  if ('412' in answers) named.push('If-Match');
  const headers = Object.fromEntries(
    Object.entries(HEADERS).flatMap(([name, header]) => (named.includes(name) ? [[name, header]] : [])),
  );
  const file = Type.String({ format: 'binary', description: 'The file itself.' });
  return {
    ...schema,
    // The headers that say for whom and as whom one acts can name what does not exist.
    response: { 404: ProblemOutput, 422: ProblemOutput, ...answers },
    headers: Type.Partial(Type.Object(headers)),
    ...(route.config?.takesFile === true ? { consumes: ['application/octet-stream'], body: file } : {}),
  };
}

const RETRY_AFTER = {
  description: 'Seconds after which requests are answered again.',
  schema: { type: 'integer' },
} as const;

interface Answer {
  description: string;
  headers?: Record<string, object>;
  content?: Record<string, object>;
}

/** Says what each answer means, and that problems have a media type of their own. */
function nameAnswers(answers: Record<string, Answer | { readonly $ref: string }>): void {
  for (const [status, answer] of Object.entries(answers)) {
    if ('$ref' in answer) continue;
    if (Number(status) < 400) {
      answer.description = MEANINGS[status] ?? answer.description;
      continue;
    }
    if (status === '429' || status === '503') answer.headers = { 'Retry-After': RETRY_AFTER };
    const [schema] = Object.values(answer.content ?? {});
    if (schema !== undefined) answer.content = { 'application/problem+json': schema };
  }
}
