/** What a parent is shown of a sub-account by one route. */
export interface Shown {
  /** Every key of the answer: what lists hold as `[]`, of a table of text the names of its columns. */
  readonly keys: readonly string[];
  /** In place of these, where the sub-account has granted its reports. */
  readonly keysWithGrant?: readonly string[];
  /** Keys that are null until it has. */
  readonly hidden?: readonly string[];
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const within = (outer: string, keys: readonly string[]): readonly string[] =>
  keys.map((key) => `${outer}.${key}`);

const PAGE = words('items page pageSize pages total');
const BY_CURSOR = words('items nextCursor');
const pageOf = (keys: readonly string[]): Shown => ({ keys: [...PAGE, ...within('items[]', keys)] });
const byCursor = (keys: readonly string[]): Shown => ({ keys: [...BY_CURSOR, ...within('items[]', keys)] });

const ACCOUNT: Shown = {
  keys: words(`
    id name timeZone senderName quietHours quietHours.start quietHours.end defaultCountry countries spendLimit
    prefix suffix reviewRequired reviewTolerancePercent resendAbsent parentId defaultSenderId centralSend
    disabledAt disabledReason createdAt
  `),
};
const SENDER: Shown = {
  keys: words(`
    id address type supportsMms registration registrationExpiresOn segmentsPerSecond mmsPerSecond carrierAccountId
    quotaIds disabled createdAt
  `),
};
/** What is left of a day would say what was sent. */
const QUOTA: Shown = {
  keys: words(`
    id name rateUnits ratePeriod dayUnits resetZone sharePercent unitsLeftToday resetsAt createdAt
  `),
  hidden: ['unitsLeftToday'],
};
const CONTACT: Shown = {
  keys: words('id number country firstName lastName timeZone custom createdAt updatedAt'),
};
const LIST: Shown = { keys: words('id name contacts createdAt') };
const IMPORT: Shown = {
  keys: words(`
    id status subject suppressionKind listIds defaultCountry mapping format bytes bytesRead rows rows.read
    rows.imported rows.created rows.merged rows.refused error createdBy createdAt finishedAt
  `),
};
const NOTHING: Shown = { keys: [] };

/**
 * What a parent is shown by each route that it may always ask, by operation id. A key that is new here would tell it of
 * every sub-account, whatever that has granted: nothing of it may say what was sent, to whom, or what became of it.
 */
export const SHOWN_TO_PARENTS: Readonly<Record<string, Shown>> = {
  getAccount: ACCOUNT,
  updateAccount: ACCOUNT,
  createSender: SENDER,
  listSenders: pageOf(SENDER.keys),
  getSender: SENDER,
  updateSender: SENDER,
  // It has no cap of a day, of which something could be left.
  createQuota: { keys: QUOTA.keys },
  listQuotas: { ...pageOf(QUOTA.keys), hidden: ['items[].unitsLeftToday'] },
  getQuota: QUOTA,
  updateQuota: QUOTA,
  deleteQuota: NOTHING,
  listContacts: byCursor(CONTACT.keys),
  createContact: CONTACT,
  getContact: CONTACT,
  updateContact: CONTACT,
  deleteContact: NOTHING,
  findContact: CONTACT,
  listLists: pageOf(LIST.keys),
  createList: LIST,
  getList: LIST,
  updateList: LIST,
  deleteList: NOTHING,
  addListMembers: LIST,
  removeListMember: NOTHING,
  createImport: IMPORT,
  putImportContent: IMPORT,
  listImports: pageOf(IMPORT.keys),
  getImport: IMPORT,
  listImportRefusals: byCursor(words('line reason field message row')),
  downloadImportRefusals: { keys: ['Line', 'Reason', 'Field', 'How to mend it', 'Row'] },
  // The rest would say whether the number had been suppressed before.
  addSuppression: {
    keys: words('kind senderId'),
    keysWithGrant: words('id number kind senderId reason source importId addedBy createdAt'),
  },
};
