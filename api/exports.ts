import type { Campaign } from '../db/campaigns.ts';
import { listRefusals, type Refusal } from '../db/imports/refusals.ts';
import { type LogFilter, type LogLine, readLog } from '../db/log-lines.ts';
import type { Message } from '../db/messages.ts';
import { type ExportedRecipient, exportRecipients } from '../db/recipient-export.ts';
import { listSuppressions, type Suppression, suppressionKey } from '../db/suppressions.ts';
import { describeErrorCode } from '../domain/error-codes.ts';
import { publicId } from '../domain/public-id.ts';
import type { SuppressionKind } from '../domain/suppression.ts';
import type { ExportSource, ExportValue } from './export-stream.ts';
import { badCursor } from './routes/contacts.ts';
import { refusalView } from './views/import-view.ts';

/** Recipients of some messages of a campaign with what became of each. The cursor is position and recipient. */
export function recipientsExport(
  campaign: Campaign,
  messages: readonly Message[],
): ExportSource<ExportedRecipient> {
  return {
    name: `${campaign.id}-recipients`,
    cursorOf: (row) => `${row.position}.${row.recipient}`,
    readPage: (trx, after, limit) => {
      const [position = 0, recipient = 0] = (after ?? '').split('.').map(Number);
      return exportRecipients(trx, campaign, messages, { position, recipient }, limit);
    },
    columns: [
      column('recipient', (row) => row.recipient),
      column('contactId', (row) => publicId('con', String(row.contactId))),
      column('number', (row) => row.number),
      column('firstName', (row) => row.firstName),
      column('lastName', (row) => row.lastName),
      column('message', (row) => row.position),
      column('messageId', (row) => row.messageId),
      column('state', (row) => row.state),
      column('reason', (row) => row.reason),
      column('meaning', meaningOf),
      column('attempts', (row) => row.attempts),
      column('segments', (row) => row.segments),
      column('costMicroUsd', (row) => row.costMicroUsd),
      column('carrierUuid', (row) => row.carrierUuid),
      column('attemptedAt', (row) => instant(row.attemptedAt)),
      column('reportedAt', (row) => instant(row.reportedAt)),
    ],
  };
}

/** Numbers that must not be texted. Of an erased one the number is empty. */
export function suppressionsExport(
  accountId: string,
  kinds: readonly SuppressionKind[],
): ExportSource<Suppression> {
  return {
    name: 'suppressions',
    cursorOf: (row) => row.id,
    readPage: (trx, after, limit) => {
      const afterKey = after === null ? 0 : suppressionKey(after);
      if (afterKey === null) throw badCursor();
      return listSuppressions(trx, { accountId, kinds, afterKey, limit });
    },
    columns: [
      column('id', (row) => row.id),
      column('number', (row) => row.number),
      column('kind', (row) => row.kind),
      column('senderId', (row) => row.senderId),
      column('source', (row) => row.source),
      column('reason', (row) => row.reason),
      column('addedBy', (row) => row.addedBy),
      column('importId', (row) => row.importId),
      column('createdAt', (row) => instant(row.createdAt)),
    ],
  };
}

/** Rows of a file that were not imported. The cursor is the line. */
export function refusalsExport(importId: string): ExportSource<Refusal> {
  return {
    name: `${importId}-refusals`,
    cursorOf: (row) => String(row.line),
    readPage: (trx, after, limit) => listRefusals(trx, importId, { afterLine: Number(after ?? 0), limit }),
    columns: [
      column('line', (row) => row.line),
      column('reason', (row) => row.reason),
      column('field', (row) => refusalView(row).field),
      column('message', (row) => refusalView(row).message),
      column('row', (row) => row.raw),
    ],
  };
}

/** Lines of the log, the oldest first. What is an object in the log is JSON here. */
export function logExport(name: string, filter: LogFilter): ExportSource<LogLine> {
  return {
    name,
    cursorOf: (row) => String(row.id),
    readPage: async (trx, after, limit) => {
      const page = { after: after === null ? null : Number(after), order: 'asc', limit } as const;
      const lines = await readLog(trx, filter, page);
      if (lines === null) throw badCursor();
      return lines;
    },
    columns: [
      column('id', (row) => String(row.id)),
      column('at', (row) => instant(row.at)),
      column('who', (row) => row.who),
      column('whoName', (row) => row.whoName),
      column('keyId', (row) => row.keyId),
      column('via', (row) => row.via),
      column('what', (row) => row.what),
      column('subjectKind', (row) => row.subjectKind),
      column('subjectId', (row) => row.subjectId),
      column('campaignId', (row) => row.campaignId),
      column('from', (row) => json(row.from)),
      column('to', (row) => json(row.to)),
      column('actionId', (row) => row.actionId),
      column('detail', (row) => json(row.detail)),
    ],
  };
}

function column<Row>(name: string, value: (row: Row) => ExportValue) {
  return { name, value };
}

function meaningOf({ state, reason }: ExportedRecipient): string | null {
  if (reason === null || (state !== 'undelivered' && state !== 'failed')) return null;
  return describeErrorCode(reason).meaning;
}

function instant(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}

function json(value: unknown): string | null {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as string | null);
}
