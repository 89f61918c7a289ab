import { writeFile } from 'node:fs/promises';
import { defaultCredentials, localUrl, readConfig } from '../config.ts';
import type { CarrierCredentials } from '../db/carrier-accounts.ts';
import type { SigningKey } from '../db/callback-url.ts';
import type { CarrierReport } from './callback-data.ts';
import { numberIn, runProgram } from './run-program.ts';

/** What a carrier reports to and signs with. */
export interface ReportTarget {
  readonly publicUrl: string;
  readonly signingKey: SigningKey;
  readonly credentials: CarrierCredentials;
}

/** The API that listens at this port, with the credentials of the sandbox. */
export function reportTarget(port: number, signingKey: SigningKey): ReportTarget {
  const credentials = defaultCredentials(readConfig({}));
  if (credentials === null) throw new Error('The sandbox has no credentials.');
  return { publicUrl: localUrl('127.0.0.1', port), signingKey, credentials };
}

/** Keeps prepared reports where the program that posts them finds them. */
export async function writeReports(file: string, reports: readonly CarrierReport[]): Promise<void> {
  await writeFile(file, reports.map(({ request }) => JSON.stringify(request)).join('\n'));
}

/** What became of reports. */
export interface PostedReports {
  readonly ms: number;
  readonly p99Ms: number;
  /** Places of those that were answered by 200. */
  readonly answered: readonly number[];
}

/** Of each server as many. */
const CONNECTIONS = 128;

/**
 * Posts all reports of a file from a process of its own, which may kill another after so many answers. Unless it does,
 * throws when a report was answered otherwise than by 200 or not at all.
 */
export async function postReports(
  file: string,
  port: number,
  kill?: { readonly pid: number; readonly afterAnswers: number },
): Promise<PostedReports> {
  const given = { file, port, connections: CONNECTIONS, ...(kill === undefined ? {} : { kill }) };
  const answer = await runProgram('callback-load.ts', [JSON.stringify(given)]);
  // The program printed them in this shape.
  const answered = answer['answered'] as number[];
  const others = numberIn(answer, 'others');
  const lost = numberIn(answer, 'requests') - others - answered.length;
  if (kill === undefined && others + lost > 0) {
    throw new Error(`${others} were answered otherwise and ${lost} not at all.`);
  }
  return { ms: numberIn(answer, 'ms'), p99Ms: numberIn(answer, 'p99Ms'), answered };
}
