import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './schema.d.ts';

/** Where a Carillon is and who calls. */
export interface CarillonOptions {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** An account's key, or an operator's together with `account`. */
  readonly key: string;
  /** The account that an operator's key acts for: `acc_...`. */
  readonly account?: string;
  /** Who acts with the key: `per_...`. */
  readonly person?: string;
}

/** A client whose paths, bodies and answers are typed by Carillon's own OpenAPI. */
export type CarillonClient = Client<paths>;

/** Makes a client. An answer other than a success stands in `error` as a problem with `code` and `detail`. */
export function createCarillonClient(options: CarillonOptions): CarillonClient {
  return createClient<paths>({ baseUrl: options.url, headers: headersOf(options) });
}

/** A problem as an Error, for programs that want to end with it. */
export class CarillonProblem extends Error {
  override readonly name = 'CarillonProblem';
  readonly code: string;

  constructor(problem: { readonly code: string; readonly detail: string }) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
  }
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

/** The headers that every call carries. */
export function headersOf({ key, account, person }: CarillonOptions): Record<string, string> {
  return {
    authorization: `Bearer ${key}`,
    ...(account === undefined ? {} : { 'carillon-account': account }),
    ...(person === undefined ? {} : { 'carillon-person': person }),
  };
}
