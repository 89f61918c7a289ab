import type { FastifyError } from 'fastify';
import { countCallbackRefusals, type RefusalCount } from '../db/callback-refusals.ts';
import type { Db } from '../db/database.ts';
import type { CallbackKind, CallbackRefusal } from '../domain/refused-callback.ts';
import { countLater } from './count-later.ts';
import { Problem } from './problem.ts';

/** What whoever is refused is told, whatever the reason, so that a prober learns nothing from it. */
export class CallbackRefused extends Problem {
  readonly refusal: CallbackRefusal;

  constructor(refusal: CallbackRefusal) {
    super('scope-missing', 'This callback is not one that this installation expects.');
    this.refusal = refusal;
  }
}

/** Counts callbacks that have no effect, beside their path: who is refused waits no longer for it. */
export interface RefusalCounter {
  readonly note: (kind: CallbackKind, reason: CallbackRefusal) => void;
  /** The same of an error that a callback of this kind ends with; of what is no fault of its own nothing is counted. */
  readonly noteError: (kind: CallbackKind, error: FastifyError) => void;
  /** Resolves once everything noted so far has been counted. */
  readonly close: () => Promise<void>;
}

/** A counter that writes a second later. */
export function createRefusalCounter(db: Db, onError: (error: unknown) => void): RefusalCounter {
  const counts = countLater<RefusalCount>((batch) => countCallbackRefusals(db, batch), onError);
  const note: RefusalCounter['note'] = (kind, reason) =>
    counts.add(`${kind} ${reason}`, (known) => ({ kind, reason, count: (known?.count ?? 0) + 1 }));

  return {
    note,
    noteError: (kind, error) => {
      if (error instanceof CallbackRefused) note(kind, error.refusal);
      else if (isUnreadable(error)) note(kind, 'form');
    },
    close: counts.close,
  };
}

/** Whether a callback cannot be read. One request too many is counted elsewhere, and what is wrong on our side is no refusal. */
export function isUnreadable(error: FastifyError): boolean {
  if (error.validation !== undefined) return true;
  const status = error instanceof Problem ? error.status : (error.statusCode ?? 500);
  return status >= 400 && status < 500 && status !== 429;
}
