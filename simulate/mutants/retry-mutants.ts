import { type MemoryLedger, messageOf } from '../../domain/dispatch/memory-ledger.ts';
import type { MemoryMessage } from '../../domain/dispatch/memory-rows.ts';
import type { Mutant } from './mutant.ts';

type Note = MemoryMessage['retries'][number];

/** Puts whoever is noted for a new attempt into a wave by a rule of its own. */
function collectBy(
  name: string,
  harm: string,
  dueAt: (message: MemoryMessage, note: Note, at: number) => number | null,
): Mutant {
  const collect = (ledger: MemoryLedger, messageId: string, at: number): void => {
    const message = messageOf(ledger, messageId);
    for (const note of message.retries.splice(0)) {
      const due = dueAt(message, note, at);
      if (due === null) continue;
      const members = [{ recipient: note.recipient, attempt: note.attempt + 1 }];
      const repeats = { round: null };
      message.waves.push({ number: message.waves.length, members, dueAt: due, next: 0, repeats });
      message.status = 'sending';
    }
  };
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      plan: (ledger, messageId, at) => {
        collect(ledger, messageId, at);
        return protocol.plan(ledger, messageId, at);
      },
      reopen: (ledger, campaignId, at) => {
        for (const message of ledger.messages.values()) {
          if (message.campaignId === campaignId && message.status === 'sent') collect(ledger, message.id, at);
        }
      },
    }),
  };
}

const MINUTE_MS = 60_000;

/** Breaks when and how often a text that was never handed over is tried again by itself. */
export const RETRY_MUTANTS: readonly Mutant[] = [
  collectBy(
    'try again without end',
    'A text that can never be handed over is paid for again and again.',
    (_message, _note, at) => at + 5 * MINUTE_MS,
  ),
  collectBy(
    'try again at once',
    'Networks get the same text again before they have recovered.',
    (message, note, at) => (failuresOf(message, note) > 1 ? null : at),
  ),
  collectBy(
    'try again after the expiry',
    'A text arrives when it is worth nothing any more.',
    (message, note, at) => {
      if (failuresOf(message, note) > 1) return null;
      message.expiresAt = null;
      return at + MINUTE_MS;
    },
  ),
  collectBy(
    'try again whoever waits for his turn already',
    'Whose text fails between the order of a round and his turn gets two.',
    (message, note, at) => {
      const { attempts } = message.entries.get(note.recipient) ?? { attempts: [] };
      const isTried = attempts.some((one) => one.attempt > note.attempt);
      return isTried || failuresOf(message, note) > 1 ? null : at + MINUTE_MS;
    },
  ),
  {
    name: 'try again whoever was undelivered',
    harm: 'An undelivered text may have arrived all the same.',
    mutate: (protocol) => ({
      ...protocol,
      applyReport: (ledger, report) => {
        const verdict = protocol.applyReport(ledger, report);
        const lease = ledger.leases.get(report.leaseId);
        const person = lease?.people.find((one) => one.number === report.to);
        if (
          verdict === 'applied' &&
          report.status === 'undelivered' &&
          lease !== undefined &&
          person !== undefined
        ) {
          const { waves } = messageOf(ledger, lease.messageId);
          const members = [{ recipient: person.recipient, attempt: person.attempt + 1 }];
          waves.push({ number: waves.length, members, dueAt: null, next: 0, repeats: null });
        }
        return verdict;
      },
    }),
  },
  {
    name: 'try again whatever the code says',
    harm: 'A number that is gone for good is texted again.',
    mutate: (protocol) => ({
      ...protocol,
      applyReport: (ledger, report) =>
        protocol.applyReport(ledger, report.status === 'failed' ? { ...report, errorCode: '300' } : report),
    }),
  },
  {
    name: 'repeat a round whatever was proved meanwhile',
    harm: 'Whose text arrived between the order and his turn gets it once more.',
    mutate: (protocol) => ({
      ...protocol,
      store: (ledger) => {
        const store = protocol.store(ledger);
        return {
          ...store,
          openLeases: (...asked) => {
            const hidden = forgetProofs(messageOf(ledger, asked[0].messageId));
            const answer = store.openLeases(...asked);
            hidden();
            return answer;
          },
        };
      },
    }),
  },
];

function failuresOf(message: MemoryMessage, { recipient }: Note): number {
  const attempts = message.entries.get(recipient)?.attempts ?? [];
  return attempts.filter((one) => one.final?.status === 'failed').length;
}

/** Hides what proves that unknown attempts were accepted. Returns how to bring it back. */
function forgetProofs(message: MemoryMessage): () => void {
  const attempts = [...message.entries.values()].flatMap((entry) => entry.attempts);
  const proofs = attempts.map((attempt) => attempt.resolved);
  for (const attempt of attempts) attempt.resolved = null;
  return () => attempts.forEach((attempt, index) => (attempt.resolved = proofs[index] ?? null));
}
