import type { MemoryLedger } from '../../domain/dispatch/memory-ledger.ts';
import { asAttempt, type UnknownStore } from '../../domain/dispatch/unknown-store.ts';
import type { Mutant } from './mutant.ts';

/** Changes some of what whoever asks the list reads and writes. */
function inUnknowns(
  name: string,
  harm: string,
  change: (store: UnknownStore, ledger: MemoryLedger) => Partial<UnknownStore>,
): Mutant {
  return {
    name,
    harm,
    mutate: (protocol) => ({
      ...protocol,
      unknowns: (ledger) => {
        const store = protocol.unknowns(ledger);
        return { ...store, ...change(store, ledger) };
      },
    }),
  };
}

/** Breaks how the carrier's list is read, and what follows from it. */
export const LIST_MUTANTS: readonly Mutant[] = [
  inUnknowns(
    'believe a record that may be of another text',
    'People count as reached who never were.',
    (store) => {
      let asked: { readonly messageKey: number; readonly attempt: number } | null = null;
      return {
        takeUnknown: async (...turn) => {
          const unknown = await store.takeUnknown(...turn);
          asked = unknown === null ? null : asAttempt(unknown);
          return unknown;
        },
        knownTexts: async (...of) => {
          const texts = await store.knownTexts(...of);
          return texts.filter(({ key }) => {
            const { messageKey, attempt } = asAttempt(key);
            return messageKey === asked?.messageKey && attempt === asked.attempt;
          });
        },
      };
    },
  ),
  inUnknowns(
    'count texts from before the time looked through as if the list had to show them',
    'Whose record it shows counts as absent, and may be sent again.',
    (store) => ({
      knownTexts: (carrierAccountId, of, since, until) =>
        store.knownTexts(carrierAccountId, of, since - 600_000, until + 600_000),
    }),
  ),
  inUnknowns(
    'know of no texts from after the time looked through',
    "A record of a text that the carrier's clock puts into it is taken for another's.",
    (store) => ({
      knownTexts: (carrierAccountId, of, since, until) =>
        store.knownTexts(carrierAccountId, of, since, until - 60_000),
    }),
  ),
  inUnknowns(
    'read the list while a text is being posted',
    'Its record is taken for that of another.',
    (store) => ({
      knownTexts: async (...of) =>
        (await store.knownTexts(...of)).filter(({ standing }) => standing !== 'in_flight'),
    }),
  ),
  {
    name: 'call absent too early',
    harm: 'Whose record shows late counts as absent, and may be sent again.',
    mutate: (protocol) => ({
      ...protocol,
      askingTimes: { ...protocol.askingTimes, absentAfterMs: -600_000 },
    }),
  },
  {
    name: 'look only through the moment of the post',
    harm: 'A carrier whose clock is not ours counts as not having the text.',
    mutate: (protocol) => ({
      ...protocol,
      askingTimes: { ...protocol.askingTimes, beforeMs: 0, afterMs: 0 },
    }),
  },
  {
    name: 'take the first page for the whole list',
    harm: 'A record on a later page is overlooked, and its text counts as absent.',
    mutate: (protocol) => ({
      ...protocol,
      reconcile: (deps, ...asked) =>
        protocol.reconcile(
          {
            ...deps,
            list: async (...question) => {
              const page = await deps.list(...question);
              return page.kind === 'listed' ? { ...page, isLast: true } : page;
            },
          },
          ...asked,
        ),
    }),
  },
  {
    name: 'take a list that could not be had for an empty one',
    harm: 'Whoever is asked for while the carrier has trouble counts as absent.',
    mutate: (protocol) => ({
      ...protocol,
      reconcile: (deps, ...asked) =>
        protocol.reconcile(
          {
            ...deps,
            list: async (...question) => {
              const page = await deps.list(...question);
              return page.kind === 'failed' ? { kind: 'listed', texts: [], isLast: true } : page;
            },
          },
          ...asked,
        ),
    }),
  },
  {
    name: 'never ask the list',
    harm: 'Whose reports were lost stays unknown although the carrier would tell.',
    mutate: (protocol) => ({
      ...protocol,
      reconcile: () =>
        Promise.resolve({ accepted: 0, absent: 0, undecided: 0, final: 0, nextAt: null, wake: [] }),
    }),
  },
  inUnknowns(
    'send an unknown one again without asking',
    'Whom the carrier took is texted twice.',
    (store, ledger) => ({
      takeUnknown: async (...turn) => {
        const unknown = await store.takeUnknown(...turn);
        if (unknown === null) return null;
        const { messageKey, recipient, attempt } = asAttempt(unknown);
        const message = [...ledger.messages.values()].find((one) => one.key === messageKey);
        message?.retries.push({ recipient, attempt, why: 'absent', code: null });
        return unknown;
      },
    }),
  ),
  inUnknowns(
    'send absent ones again for an account that has not chosen it',
    'Nobody has allowed it.',
    (store, ledger) => ({
      recordVerdict: async (key, evidence, uuid) => {
        const chosen = ledger.resendAbsentSince;
        ledger.resendAbsentSince = 0;
        const recorded = await store.recordVerdict(key, evidence, uuid);
        ledger.resendAbsentSince = chosen;
        return recorded;
      },
    }),
  ),
  inUnknowns('keep no horizon', 'Unknown ones are asked for for ever.', () => ({
    closeUnknowns: () => Promise.resolve(0),
  })),
];
