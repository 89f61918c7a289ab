export { campaign } from './campaign.ts';
export { importContacts } from './import-contacts.ts';
export { message } from './message.ts';
