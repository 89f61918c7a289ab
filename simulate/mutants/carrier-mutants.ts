import { entryOf, type MemoryLedger, messageOf } from '../../domain/dispatch/memory-ledger.ts';
import type { MemoryReport } from '../../domain/dispatch/memory-reports.ts';
import type { PostAnswer } from '../../domain/dispatch/post-lease.ts';
import type { Mutant } from './mutant.ts';

/** Takes what nobody can know for certain. */
function takeForNotAccepted(name: string, harm: string, causes: readonly string[]): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      classify: (report): PostAnswer => {
        const answer = protocol.classify(report);
        return answer.kind === 'unknown' && causes.includes(answer.cause)
          ? { kind: 'not_accepted', cause: 'not_written', retryAfterMs: null }
          : answer;
      },
    }),
  };
}

function attemptOf(ledger: MemoryLedger, report: MemoryReport) {
  const lease = ledger.leases.get(report.leaseId);
  const person = lease?.people.find((one) => one.number === report.to);
  if (lease === undefined || person === undefined) return undefined;
  const message = messageOf(ledger, lease.messageId);
  const known = entryOf(message, person.recipient).attempts.find((one) => one.attempt === person.attempt);
  return known === undefined ? undefined : { message, known };
}

/** Breaks how answers and reports of the carrier are read. */
export const CARRIER_MUTANTS: readonly Mutant[] = [
  takeForNotAccepted(
    'treat a 5xx as not accepted',
    'Whom the carrier took before it failed is texted again.',
    ['server_error'],
  ),
  takeForNotAccepted(
    'treat a reset as not accepted',
    'Whom the carrier took before it hung up is texted again.',
    ['reset'],
  ),
  takeForNotAccepted('treat a timeout as not accepted', 'Whom a slow carrier took is texted again.', [
    'timeout',
  ]),
  takeForNotAccepted('treat an empty 202 as not accepted', 'Whom it was about is texted again.', [
    'empty_answer',
  ]),
  {
    name: 'call everything accepted that was sent',
    harm: 'People count as reached who never were.',
    mutate: (protocol) => ({
      ...protocol,
      classify: (report): PostAnswer => {
        const answer = protocol.classify(report);
        return answer.kind === 'unknown' ? { kind: 'accepted', uuids: [], invalidNumbers: [] } : answer;
      },
    }),
  },
  {
    name: 'take a 429 for an answer that says nothing',
    harm: 'A storm of 429 leaves people unknown whom the carrier would take a second later.',
    mutate: (protocol) => ({
      ...protocol,
      classify: (report): PostAnswer =>
        report.status === 429 ? { kind: 'unknown', cause: 'server_error' } : protocol.classify(report),
    }),
  },
  {
    name: 'believe reports without a signature',
    harm: 'A forger decides what is said of people.',
    mutate: (protocol) => ({ ...protocol, isGenuine: () => true }),
  },
  {
    name: 'let the last status win',
    harm: 'A late report takes back that a text has arrived.',
    mutate: (protocol) => ({
      ...protocol,
      applyReport: (ledger, report) => {
        const verdict = protocol.applyReport(ledger, report);
        const found = attemptOf(ledger, report);
        if (found !== undefined && (report.status === 'sent' || report.status === 'queued')) {
          found.known.final = null;
        }
        return verdict;
      },
    }),
  },
  {
    name: 'resolve no unknown by a report',
    harm: 'Whom the carrier proves to have texted stays unknown.',
    mutate: (protocol) => ({
      ...protocol,
      applyReport: (ledger, report) =>
        attemptOf(ledger, report)?.known.result === 'unknown'
          ? 'repeated'
          : protocol.applyReport(ledger, report),
    }),
  },
  {
    name: 'send a round to everybody',
    harm: 'Who has got the text gets it once more, though only the unknown were meant.',
    mutate: (protocol) => ({
      ...protocol,
      round: (ledger, messageId, kind, at) => {
        const numbers = protocol.round(ledger, messageId, kind, at);
        const message = messageOf(ledger, messageId);
        const wave = message.waves.at(-1);
        if (numbers.length === 0 || wave === undefined) return numbers;
        for (const [recipient, { attempts }] of message.entries) {
          if (attempts.length === 0 || wave.members.some((one) => one.recipient === recipient)) continue;
          wave.members.push({ recipient, attempt: Math.max(...attempts.map((one) => one.attempt)) + 1 });
        }
        return numbers;
      },
    }),
  },
];
