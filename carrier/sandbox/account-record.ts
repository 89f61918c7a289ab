import type { SandboxSettings } from './settings.ts';

const MICRO = 1_000_000;
/** What is shown where any amount may be spent, in USD. */
const PLENTY_USD = 1_000_000;

/** The account as the API shows it. */
export function accountRecord(authId: string, settings: SandboxSettings): Record<string, unknown> {
  const { creditMicroUsd } = settings;
  const creditUsd = creditMicroUsd === null ? PLENTY_USD : creditMicroUsd / MICRO;
  return {
    account_type: 'standard',
    auth_id: authId,
    auto_recharge: false,
    billing_mode: 'prepaid',
    cash_credits: creditUsd.toFixed(5),
    enabled: !settings.isAccountDisabled,
    name: 'Sandbox',
    resource_uri: `/v1/Account/${authId}/`,
    timezone: 'UTC',
  };
}
