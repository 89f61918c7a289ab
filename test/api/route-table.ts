import type { Scope } from '../../db/make-api-key.ts';
import type { Route } from './api-world.ts';
import type { Things } from './seeded-things.ts';

/** What a route asks for, and a body that its schema takes. */
export interface RouteCase {
  /** The scope that the key needs; `public` is open to anybody. */
  readonly scope: Scope | 'public';
  /** Whose id each part of the path is. */
  readonly ids?: Readonly<Record<string, keyof Things>>;
  /** An acceptable body; what it names belongs to the account of these things. */
  readonly body?: (things: Things) => unknown;
  /** What the path is asked with, so that the answer ends. */
  readonly query?: string;
  /** Only an operator may, whatever the scopes; he names the account. */
  readonly operatorOnly?: true;
}

function idsOf(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** What a parent's key may ask of its sub-accounts whatever these have granted. */
export const ALWAYS_FOR_PARENTS = idsOf(`
  getAccount updateAccount
  createSender listSenders getSender updateSender
  createQuota listQuotas getQuota updateQuota deleteQuota
  listContacts createContact getContact updateContact deleteContact findContact
  listLists createList getList updateList deleteList addListMembers removeListMember
  createImport putImportContent listImports getImport
  listImportRefusals downloadImportRefusals
  addSuppression
`);

/** What it may ask only of those that have granted their reports. */
export const WITH_GRANT_FOR_PARENTS = idsOf(`
  listCampaigns getCampaign getAction listTests
  listRecipients getRecipient findRecipient exportRecipients readContactTimeline
  readLog readCampaignLog exportLog exportCampaignLog followEvents followCampaignEvents
  listSuppressions getSuppression findSuppressions listSuppressionHistory
  exportSuppressions createSuppressionImport exportImportRefusals
  listAlerts getAlert listHolds getHold
`);

/**
 * Everything else of an account is the account's own business, keys above all: one of them would be the grant itself. A
 * new route has to be written in one of the three.
 */
export const NEVER_FOR_PARENTS = idsOf(`
  createCampaign updateCampaign duplicateCampaign deleteCampaign
  addMessage updateMessage deleteMessage previewMessage
  testMessage addTestNumber listTestNumbers removeTestNumber
  reviewCampaign launchCampaign startCampaign withdrawCampaign orderRound
  pauseCampaign resumeCampaign stopCampaign restartCampaign abortCampaign
  rescheduleCampaign suspendCampaign overruleCampaign archiveCampaign unarchiveCampaign
  placeHold liftHold acknowledgeAlert removeSuppression
  createPerson listPeople getPerson updatePerson
  createKey listKeys getKey updateKey rotateKey revokeKey
  uploadMedia listMedia getMedia
  createSubAccount listSubAccounts disableAccount enableAccount
  leaveParent readGrants setGrants
  listCampaignAccounts listReviewAccounts retryCampaignAccount
  createPreset listPresets getPreset updatePreset deletePreset
  listPresetAccounts addPairs removePairs importPairs
`);

const LATER = { local: '2027-01-14T12:00', zone: 'America/New_York' };
const campaign = { id: 'campaign' } as const;
const message = { id: 'campaign', messageId: 'message' } as const;
const action: RouteCase = { scope: 'send', ids: campaign, body: () => ({}) };
const schedules = (things: Things) => ({ messages: [{ messageId: things.message, schedule: LATER }] });
const pairs = (things: Things) => ({ pairs: [{ accountId: things.account, listId: things.list }] });
const read = (id?: keyof Things): RouteCase => ({
  scope: 'read',
  ...(id === undefined ? {} : { ids: { id } }),
});
const write = (body: (things: Things) => unknown, ids?: RouteCase['ids']): RouteCase => ({
  scope: 'write',
  body,
  ...(ids === undefined ? {} : { ids }),
});
const remove = (ids: NonNullable<RouteCase['ids']>): RouteCase => ({ scope: 'write', ids });

/** Every operation of the API by its id: a new route has to be written here, with what guards it. */
export const ROUTE_CASES: Readonly<Record<string, RouteCase>> = {
  health: { scope: 'public' },
  ready: { scope: 'public' },
  serveMedia: { scope: 'public' },
  receiveStatus: { scope: 'public' },
  receiveInbound: { scope: 'public' },

  createAccount: {
    scope: 'operator',
    body: () => ({ name: 'New', timeZone: 'Europe/Paris', senderName: 'New', defaultCountry: 'FR' }),
  },
  listAccounts: { scope: 'operator' },
  createCarrierAccount: {
    scope: 'operator',
    body: () => ({ name: 'Second', authId: 'MA1', authToken: 'secret' }),
  },
  listCarrierAccounts: { scope: 'operator' },
  getCarrierAccount: { scope: 'operator' },
  updateCarrierAccount: { scope: 'operator', body: () => ({ name: 'Renamed' }) },
  listCallbackRefusals: { scope: 'operator' },
  listRefusedPhrases: { scope: 'operator' },
  getRefusedPhrase: { scope: 'operator' },
  addRefusedPhrase: {
    scope: 'operator',
    body: () => ({ phrase: 'sure win', reason: 'It promises too much.', effectiveFrom: '2026-01-01' }),
  },
  removeRefusedPhrase: { scope: 'operator' },

  createOperatorKey: { scope: 'operator', body: () => ({ name: 'Second' }) },
  listOperatorKeys: { scope: 'operator' },
  getOperatorKey: { scope: 'operator' },
  updateOperatorKey: { scope: 'operator', body: () => ({ name: 'Renamed' }) },
  rotateOperatorKey: { scope: 'operator', body: () => ({}) },
  revokeOperatorKey: { scope: 'operator' },

  createSubAccount: write(() => ({
    name: 'New',
    timeZone: 'Europe/Paris',
    senderName: 'New',
    defaultCountry: 'FR',
  })),
  listSubAccounts: read(),
  disableAccount: write(() => ({ reason: 'The branch has closed.' }), { id: 'account' }),
  enableAccount: { scope: 'write', ids: { id: 'account' } },
  setParent: { scope: 'operator', body: () => ({ parentId: null }) },
  setCentralSend: { scope: 'operator', body: () => ({ enabled: true }) },
  leaveParent: { scope: 'write' },
  readGrants: read(),
  setGrants: write(() => ({ reports: true })),

  createPreset: write(() => ({ name: 'New' })),
  listPresets: read(),
  getPreset: read('preset'),
  updatePreset: write(() => ({ name: 'Renamed' }), { id: 'preset' }),
  deletePreset: remove({ id: 'preset' }),
  listPresetAccounts: read('preset'),
  addPairs: write(pairs, { id: 'preset' }),
  removePairs: write(pairs, { id: 'preset' }),
  importPairs: write((things) => `account,list\n${things.account},${things.list}\n`, { id: 'preset' }),

  getAccount: read(),
  updateAccount: write(() => ({ name: 'Renamed' })),
  createPerson: write(() => ({ name: 'Robin', address: 'robin@example.com' })),
  listPeople: read(),
  getPerson: read('person'),
  updatePerson: write(() => ({ name: 'Renamed' }), { id: 'person' }),
  createKey: write(() => ({ name: 'New', scopes: ['read'] })),
  listKeys: read(),
  getKey: read('key'),
  updateKey: write(() => ({ name: 'Renamed' }), { id: 'key' }),
  rotateKey: write(() => ({}), { id: 'key' }),
  revokeKey: remove({ id: 'key' }),
  createSender: write(() => ({ address: '54321', type: 'short_code' })),
  listSenders: read(),
  getSender: read('sender'),
  updateSender: write(() => ({ disabled: true }), { id: 'sender' }),
  createQuota: write(() => ({ name: 'New', rateUnits: 75, ratePeriod: 'minute' })),
  listQuotas: read(),
  getQuota: read('quota'),
  updateQuota: write(() => ({ dayUnits: 2_000 }), { id: 'quota' }),
  deleteQuota: remove({ id: 'quota' }),
  uploadMedia: { scope: 'write' },
  listMedia: read(),
  getMedia: read('media'),

  listContacts: read(),
  createContact: write(() => ({ number: '+12125552099' })),
  getContact: read('contact'),
  updateContact: write(() => ({ firstName: 'Renamed' }), { id: 'contact' }),
  deleteContact: remove({ id: 'contact' }),
  findContact: { scope: 'read', body: () => ({ number: '+12125552001' }) },
  listLists: read(),
  createList: write(() => ({ name: 'New' })),
  getList: read('list'),
  updateList: write(() => ({ name: 'Renamed' }), { id: 'list' }),
  deleteList: remove({ id: 'list' }),
  addListMembers: write((things) => ({ contactIds: [things.contact] }), { id: 'list' }),
  removeListMember: remove({ id: 'list', contactId: 'contact' }),
  createImport: write((things) => ({ listIds: [things.list] })),
  putImportContent: { scope: 'write', ids: { id: 'import' } },
  listImports: read(),
  getImport: read('import'),
  listImportRefusals: read('import'),
  downloadImportRefusals: read('import'),

  addSuppression: write(() => ({ number: '+12125552098', kind: 'manual' })),
  listSuppressions: read(),
  getSuppression: read('suppression'),
  removeSuppression: write(() => ({ reason: 'He asked for it.' }), { id: 'suppression' }),
  findSuppressions: { scope: 'read', body: () => ({ number: '+12125552001' }) },
  listSuppressionHistory: { scope: 'read', body: () => ({ number: '+12125552001' }) },
  createSuppressionImport: write(() => ({ kind: 'opt_out' })),

  exportSuppressions: { scope: 'reports' },
  exportImportRefusals: { scope: 'reports', ids: { id: 'import' } },
  exportRecipients: { scope: 'reports', ids: { id: 'launched' } },
  exportLog: { scope: 'reports' },
  exportCampaignLog: { scope: 'reports', ids: { id: 'launched' } },

  createCampaign: write((things) => ({ name: 'New', listIds: [things.list] })),
  listCampaigns: read(),
  getCampaign: read('campaign'),
  updateCampaign: write(() => ({ name: 'Renamed' }), campaign),
  listRecipients: read('launched'),
  getRecipient: { scope: 'read', ids: { id: 'launched', recipient: 'recipient' } },
  findRecipient: { scope: 'read', ids: { id: 'launched' }, body: () => ({ number: '+12125552001' }) },
  readContactTimeline: read('contact'),
  addMessage: write(() => ({ text: 'Hello' }), campaign),
  updateMessage: write(() => ({ text: 'Changed' }), message),
  deleteMessage: remove(message),
  previewMessage: { scope: 'read', ids: message, body: () => ({}) },

  addTestNumber: write(() => ({ number: '+12125552102' })),
  listTestNumbers: read(),
  removeTestNumber: remove({ id: 'testNumber' }),
  testMessage: { scope: 'send', ids: message, body: () => ({}) },
  listTests: { scope: 'read', ids: message },

  reviewCampaign: { scope: 'read', ids: campaign, body: () => ({ start: 'scheduled' }) },
  launchCampaign: { ...action, body: () => ({ start: 'scheduled' }) },
  startCampaign: { ...action, ids: { id: 'launched' }, body: () => ({ start: 'now' }) },
  withdrawCampaign: { ...action, ids: { id: 'launched' } },
  pauseCampaign: { ...action, ids: { id: 'launched' } },
  resumeCampaign: { ...action, ids: { id: 'launched' } },
  stopCampaign: { ...action, ids: { id: 'launched' } },
  restartCampaign: { ...action, ids: { id: 'launched' }, body: schedules },
  abortCampaign: { ...action, ids: { id: 'launched' } },
  rescheduleCampaign: write(schedules, { id: 'launched' }),
  suspendCampaign: { ...action, ids: { id: 'launched' } },
  overruleCampaign: { ...action, operatorOnly: true },
  orderRound: { ...action, ids: { id: 'launched' }, body: () => ({ kind: 'retry_failed' }) },
  archiveCampaign: write(() => ({}), campaign),
  unarchiveCampaign: write(() => ({}), campaign),
  duplicateCampaign: { scope: 'write', ids: campaign },
  deleteCampaign: remove(campaign),
  listCampaignAccounts: read('central'),
  listReviewAccounts: { scope: 'read', ids: { id: 'central', reviewId: 'centralReview' } },
  retryCampaignAccount: { scope: 'send', ids: { id: 'central', accountId: 'account' } },
  readLog: read(),
  readCampaignLog: read('launched'),
  listAlerts: read(),
  getAlert: read('alert'),
  acknowledgeAlert: write(() => undefined, { id: 'alert' }),

  placeHold: {
    scope: 'send',
    body: (things) => ({ scope: 'campaign', scopeId: things.campaign, reason: 'It has to be checked.' }),
  },
  followEvents: { ...read(), query: '?follow=false&lastEventId=0' },
  followCampaignEvents: { ...read('launched'), query: '?follow=false&lastEventId=0' },
  listHolds: read(),
  getHold: read('hold'),
  liftHold: { scope: 'send', ids: { id: 'hold' } },
  getAction: { scope: 'read', ids: { id: 'launched', actionId: 'action' } },
};

/** An id that has the form of one and belongs to nobody. */
export const NOBODYS = '01m86mtaj9fzxvj3x8dcj53g4n';

/** The route's path with these things' ids in it; parts that nobody owns get an id of nobody. */
export function pathWith(route: Route, things: Things): string {
  const { ids = {}, query = '' } = ROUTE_CASES[route.operation.operationId ?? ''] ?? {};
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_part, name: string) => {
    const kind = ids[name];
    if (kind !== undefined) return things[kind];
    if (name === 'token') return 'x'.repeat(32);
    return `${prefixOf(route.path)}_${NOBODYS}`;
  });
  return `${path}${query}`;
}

function prefixOf(path: string): string {
  if (path.includes('refused-phrases')) return 'phr';
  if (path.startsWith('/v1/accounts')) return 'acc';
  return path.includes('operator-keys') ? 'key' : 'car';
}
