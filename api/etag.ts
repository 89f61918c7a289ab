import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** The version of what is never changed, only removed. */
export const ONLY_VERSION = 1;

/** Sets the `ETag` of a single resource from its version. */
export function setEtag(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`);
}

/** Refuses a change whose `If-Match` names another version, so that nobody overwrites what he has not seen. */
export function checkIfMatch(request: FastifyRequest, version: number): void {
  const wanted = request.headers['if-match'];
  if (wanted === undefined || wanted === '*' || wanted === `"${version}"`) return;
  throw new Problem(
    'version-mismatch',
    'It has changed since you read it. Read it again and repeat your change.',
  );
}
