import type { Static } from 'typebox';
import type { LogLine } from '../../db/log-lines.ts';
import { viaOf } from '../../domain/actor.ts';
import type { ActorOutput } from '../schemas/common.ts';
import type { LogLineOutput } from '../schemas/log-schemas.ts';

/** A line of the log as it is shown. */
export function logLineView(line: LogLine): Static<typeof LogLineOutput> {
  return {
    id: String(line.id),
    at: line.at.toISOString(),
    by: actorView(line.who, line.whoName, line.via),
    key: line.keyId === null ? null : { id: line.keyId, name: line.keyName },
    via: viaOf(line.via),
    what: line.what,
    subject: { kind: line.subjectKind, id: line.subjectId },
    campaignId: line.campaignId,
    from: valueOf(line.from),
    to: valueOf(line.to),
    actionId: line.actionId,
    detail: { ...line.detail },
  };
}

/**
 * Somebody who acted, with his name of today. Keys of operators and whoever works for the parent belong to another
 * account, so none sees their names.
 */
export function actorView(id: string, name: string | null, via = 'api'): Static<typeof ActorOutput> {
  if (via === 'parent') return { id, kind: 'parent', name: null };
  if (id === 'system' || id === 'temporal') return { id, kind: id, name: null };
  if (id.startsWith('per_')) return { id, kind: 'person', name };
  return { id, kind: name === null ? 'operator' : 'key', name };
}

function valueOf(value: LogLine['from']): string | Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? { ...value } : value;
}
