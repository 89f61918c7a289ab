import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import { signPlivoCallback } from '../plivo/callback-signature.ts';
import type { Fate } from './magic-numbers.ts';
import type { LedgerEntry } from './ledger.ts';
import type { SandboxSettings } from './settings.ts';

/** Posts signed callbacks and tries again as the carrier does. */
export interface CallbackSender {
  /** Reports everything that happens to a text, at its time. */
  readonly tell: (entry: LedgerEntry, fate: Fate, sentInMs: number) => void;
  /** Posts a signed form once. Resolves with the HTTP status, or null when nobody answered. */
  readonly post: (url: string, form: Record<string, string>) => Promise<number | null>;
  readonly stats: { delivered: number; refused: number };
  readonly close: () => Promise<void>;
}

const ANSWER_MS_MAX = 8_000;
const CONNECTIONS = 32;

/** `random` gives latencies, from 0 to 1, so that a seeded sandbox repeats itself. */
export function createCallbackSender(deps: {
  readonly authToken: string;
  readonly settings: SandboxSettings;
  readonly random: () => number;
  readonly finish: (uuid: string, final: string, errorCode: string) => void;
}): CallbackSender {
  const agent = new Agent({ connections: CONNECTIONS, keepAliveTimeout: 10_000 });
  const timers = new Set<NodeJS.Timeout>();
  const stats = { delivered: 0, refused: 0 };
  let isClosed = false;

  const later = (delayMs: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timers.add(timer);
  };

  const post = async (url: string, form: Record<string, string>, forged = false): Promise<number | null> => {
    const body = new URLSearchParams(form).toString();
    const nonce = randomBytes(12).toString('hex');
    const authToken = forged ? 'not the token' : deps.authToken;
    try {
      const target = new URL(url);
      const answer = await agent.request({
        origin: target.origin,
        path: target.pathname + target.search,
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...signPlivoCallback({ method: 'POST', url, params: form, authToken, nonce }),
        },
        body,
        headersTimeout: ANSWER_MS_MAX,
        bodyTimeout: ANSWER_MS_MAX,
      });
      await answer.body.dump();
      return answer.statusCode;
    } catch {
      return null;
    }
  };

  const deliver = (url: string, form: Record<string, string>, tries: number): void => {
    if (isClosed) return;
    void post(url, form).then((status) => {
      if (status !== null && status >= 200 && status < 300) {
        stats.delivered += 1;
        return;
      }
      stats.refused += 1;
      const delayMs = deps.settings.retryDelaysMs[tries];
      if (delayMs !== undefined) later(delayMs, () => deliver(url, form, tries + 1));
    });
  };

  return {
    stats,
    post,
    tell: (entry, fate, sentInMs) => {
      const { min, max } = deps.settings.callbackDelayMs;
      const finalInMs = sentInMs + min + deps.random() * (max - min);
      const url = entry.callbackUrl;
      const report = (status: string, code: string, delayMs: number, sequence: number): void => {
        if (url === null || fate.callbacks === 'lost') return;
        const form = formOf(entry, status, code, sequence);
        later(delayMs, () => {
          if (fate.callbacks === 'forged_first') void post(url, form, true).then(() => deliver(url, form, 0));
          else deliver(url, form, 0);
          if (fate.callbacks === 'doubled') deliver(url, form, 0);
        });
      };
      const isReordered = fate.callbacks === 'reordered';
      if (fate.final !== 'failed') report('sent', '', isReordered ? finalInMs + max : sentInMs, 2);
      const final = fate.final ?? 'delivered';
      if (final !== 'sent') report(final, fate.errorCode, finalInMs, 3);
      later(finalInMs, () => deps.finish(entry.uuid, final, fate.errorCode));
    },
    close: async () => {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      await agent.destroy();
    },
  };
}

function formOf(entry: LedgerEntry, status: string, code: string, sequence: number): Record<string, string> {
  const isFree = status === 'failed';
  const amount = isFree ? 0 : entry.costMicroUsd / 1_000_000;
  return {
    MessageUUID: entry.uuid,
    From: entry.src,
    To: entry.dst.replace('+', ''),
    Status: status,
    Units: String(entry.units),
    TotalRate: (amount / Math.max(1, entry.units)).toFixed(6),
    TotalAmount: amount.toFixed(6),
    MCC: '310',
    MNC: '004',
    ErrorCode: code,
    Sequence: String(sequence),
    QueuedTime: new Date(entry.time).toISOString(),
  };
}
