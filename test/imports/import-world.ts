import { randomBytes } from 'node:crypto';
import { createTestDatabase } from '../support/test-database.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { runImport, type ImportResult } from '../../activities/import/run-import.ts';
import { type Db, openDatabase, openPool, withAccount } from '../../db/database.ts';
import { type ContactImport, findImport, insertImport } from '../../db/imports.ts';
import { appendPiece, beginUpload, finishUpload, PIECE_BYTES } from '../../db/imports/content.ts';
import { listRefusals, type Refusal } from '../../db/imports/refusals.ts';
import type { ColumnMapping } from '../../domain/csv-format.ts';

/** What the tests of imports share: a database with one account. */
export interface ImportWorld {
  readonly url: string;
  readonly db: Db;
  readonly account: SeededAccount;
  readonly hashKey: Buffer;
  /** Makes an import with this content, ready to run. */
  prepare(content: Buffer | string, options?: ImportOptions): Promise<string>;
  run(importId: string, accountId?: string): Promise<ImportResult>;
  /** Prepares and runs; resolves with the import as it stands then. */
  importFile(content: Buffer | string, options?: ImportOptions): Promise<ContactImport>;
  find(importId: string): Promise<ContactImport>;
  refusals(importId: string): Promise<Refusal[]>;
  contacts(): Promise<StoredContact[]>;
  close(): Promise<void>;
}

export interface ImportOptions {
  readonly account?: SeededAccount;
  readonly listIds?: readonly string[];
  readonly mapping?: ColumnMapping;
  readonly defaultCountry?: string;
  readonly pieceBytes?: number;
}

export interface StoredContact {
  readonly number: string;
  readonly country: string;
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly time_zone: string | null;
  readonly custom: Record<string, string>;
}

/** Opens a fresh database with one account in it. */
export async function openImportWorld(): Promise<ImportWorld> {
  const database = await createTestDatabase();
  const pool = openPool({ connectionString: database.url, connectionsMax: 6, role: 'carillon_app' });
  const db = openDatabase(pool);
  const account = await seedAccount(db);
  const hashKey = randomBytes(32);
  const world: ImportWorld = {
    url: database.url,
    db,
    account,
    hashKey,
    prepare: (content, options = {}) =>
      prepareImport(db, (options.account ?? account).accountId, Buffer.from(content), options),
    run: (importId, accountId = account.accountId) =>
      runImport({ db, pool, hashKey }, { accountId, importId }),
    importFile: async (content, options) => {
      const id = await world.prepare(content, options);
      await world.run(id);
      return world.find(id);
    },
    find: async (id) => {
      const found = await withAccount(db, account.accountId, (trx) => findImport(trx, id));
      if (found === null) throw new Error('There is no such import.');
      return found;
    },
    refusals: (id) =>
      withAccount(db, account.accountId, (trx) => listRefusals(trx, id, { afterLine: 0, limit: 10_000 })),
    contacts: () =>
      withAccount(db, account.accountId, (trx) =>
        trx
          .selectFrom('contacts')
          .select(['number', 'country', 'first_name', 'last_name', 'time_zone', 'custom'])
          .orderBy('number')
          .execute(),
      ),
    close: async () => {
      await db.destroy();
      await database.drop();
    },
  };
  return world;
}

/** Makes an import of the account with this content, ready to run. */
export async function prepareImport(
  db: Db,
  accountId: string,
  content: Buffer,
  options: ImportOptions,
): Promise<string> {
  const { pieceBytes = PIECE_BYTES } = options;
  return withAccount(db, accountId, async (trx) => {
    const id = await insertImport(trx, {
      accountId,
      listIds: options.listIds ?? [],
      mapping: options.mapping ?? null,
      defaultCountry: options.defaultCountry ?? 'US',
      createdBy: 'system',
    });
    const begun = await beginUpload(trx, accountId, id);
    if (begun.kind === 'refused') throw new Error('The upload was refused.');
    for (let piece = 0; piece * pieceBytes < content.length; piece += 1) {
      const bytes = content.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
      if (!(await appendPiece(trx, begun.upload, piece, bytes))) throw new Error('A piece was refused.');
    }
    await finishUpload(trx, begun.upload, content.length);
    return id;
  });
}
