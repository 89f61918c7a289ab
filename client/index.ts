import createClient, { type Client } from 'openapi-fetch';
import { type CarillonOptions, headersOf } from './options.ts';
import { CarillonProblem } from './problem.ts';
import type { paths } from './schema.d.ts';

export { type CarillonEvent, followEvents, type FollowOptions } from './events.ts';
export { type CarillonOptions, headersOf } from './options.ts';
export { CarillonProblem } from './problem.ts';

/** A client whose paths, bodies and answers are typed by Carillon's own OpenAPI. */
export type CarillonClient = Client<paths>;

/** Makes a client. An answer other than a success stands in `error` as a problem with `code` and `detail`. */
export function createCarillonClient(options: CarillonOptions): CarillonClient {
  return createClient<paths>({ baseUrl: options.url, headers: headersOf(options) });
}

/** The data of an answer. Throws a CarillonProblem when it is not a success. */
export async function dataOf<Data>(
  answering: Promise<{ data?: Data; error?: { code: string; detail: string }; response: Response }>,
): Promise<Data> {
  const { data, error } = await answering;
  if (error !== undefined) throw new CarillonProblem(error);
  if (data === undefined) throw new Error('The answer has no content.');
  return data;
}
