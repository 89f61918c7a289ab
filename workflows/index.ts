export { campaign } from './campaign.ts';
export { centralSend } from './central-send.ts';
export { centralSlice } from './central-slice.ts';
export { importContacts } from './import-contacts.ts';
export { message } from './message.ts';
export { reconcile } from './reconcile.ts';
export { testSend } from './test-send.ts';
