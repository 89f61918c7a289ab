import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type pg from 'pg';
import type { NamedKey } from '../config.ts';
import type { CarrierCredentials } from '../db/carrier-accounts.ts';
import type { Db } from '../db/database.ts';
import type { CrashHook } from '../domain/dispatch/crash-points.ts';
import type { WorkflowClient } from '../engine/workflow-client.ts';

/** What the routes reach the world through, wired in `server.ts` and in tests. */
export interface ApiDeps {
  readonly db: Db;
  /** Plain connections, for streams. */
  readonly pool: pg.Pool;
  readonly workflows: WorkflowClient;
  readonly crash: CrashHook;
  /** Epoch milliseconds; what decides whether something lies in quiet hours. */
  readonly now: () => number;
  readonly publicUrl: string;
  /** The first signs and seals, all verify. */
  readonly keys: readonly NamedKey[];
  readonly hashKey: Buffer;
  /** The carrier's credentials of the environment; null without any. */
  readonly defaultCredentials: CarrierCredentials | null;
  /** V2 signatures leave query and body unsigned, so they count alone only where an operator says so. */
  readonly acceptV2Signatures: boolean;
}

/** A Fastify instance whose schemas are TypeBox types. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
