export { campaign } from './campaign.ts';
export { message } from './message.ts';
