import type { Static } from 'typebox';
import type { LogLine } from '../../db/log-lines.ts';
import type { ActorOutput } from '../schemas/common.ts';
import type { LogLineOutput } from '../schemas/log-schemas.ts';

/** A line of the log as it is shown. */
export function logLineView(line: LogLine): Static<typeof LogLineOutput> {
  return {
    id: String(line.id),
    at: line.at.toISOString(),
    by: actorView(line.who, line.whoName),
    key: line.keyId === null ? null : { id: line.keyId, name: line.keyName },
    via: line.via === 'temporal' || line.via === 'system' ? line.via : 'api',
    what: line.what,
    subject: { kind: line.subjectKind, id: line.subjectId },
    campaignId: line.campaignId,
    from: valueOf(line.from),
    to: valueOf(line.to),
    actionId: line.actionId,
    detail: { ...line.detail },
  };
}

/** Somebody who acted, with his name of today. An operator's key belongs to no account, so none sees its name. */
export function actorView(id: string, name: string | null): Static<typeof ActorOutput> {
  if (id === 'system' || id === 'temporal') return { id, kind: id, name: null };
  if (id.startsWith('per_')) return { id, kind: 'person', name };
  return { id, kind: name === null ? 'operator' : 'key', name };
}

function valueOf(value: LogLine['from']): string | Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? { ...value } : value;
}
