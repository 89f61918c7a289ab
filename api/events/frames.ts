import type { CampaignProgress, LiveEvent } from '../../db/events.ts';
import { actorView } from '../views/log-view.ts';

/** A frame of a stream of server-sent events, made once for all its readers. */
export type Frame = Buffer;

/** Keeps the connection and whatever stands in between from taking silence for an end. */
export const BEAT: Frame = Buffer.from(': beat\n\n');

/** An event with its id, which a reader names when it comes back. */
export function eventFrame(event: LiveEvent): Frame {
  return frameOf(event.kind, { at: event.at.toISOString(), ...event.data, ...actorsOf(event) }, event.number);
}

/** Who acted, as the log and the list of alerts show him. */
function actorsOf({ kind, data, actorName, keyName }: LiveEvent): Record<string, unknown> {
  const { by, key, acknowledgedBy } = data;
  const via = typeof data['via'] === 'string' ? data['via'] : 'api';
  const actorOr = (id: unknown) => (typeof id === 'string' ? actorView(id, actorName, via) : null);
  if (kind === 'alert') return { acknowledgedBy: actorOr(acknowledgedBy) };
  if (kind !== 'log') return {};
  return { by: actorOr(by), key: typeof key === 'string' ? { id: key, name: keyName } : null };
}

/** Progress is a state and has no id: whoever comes back is told how far the campaign has come by then. */
export function progressFrame({ campaignId, progress }: CampaignProgress): Frame {
  return frameOf('progress', { campaignId, ...progress });
}

/** The first frame: the id from which the reader would go on, and how soon it is to come back. */
export function openingFrame(kind: 'ready' | 'reset', data: Record<string, unknown>, number: number): Frame {
  return Buffer.concat([Buffer.from('retry: 1000\n'), frameOf(kind, data, number)]);
}

function frameOf(kind: string, data: unknown, number?: number): Frame {
  const id = number === undefined ? '' : `id: ${number}\n`;
  // JSON has no line breaks of its own, so the data are one line.
  return Buffer.from(`${id}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
}
