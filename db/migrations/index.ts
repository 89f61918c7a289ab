import type { Migration } from 'kysely';
import { up as roles } from './0001-roles.ts';
import { up as accounts } from './0002-accounts.ts';
import { up as contacts } from './0003-contacts.ts';
import { up as campaigns } from './0004-campaigns.ts';
import { up as ledger } from './0005-ledger.ts';
import { up as systemFunctions } from './0006-system-functions.ts';
import { up as logAndAlerts } from './0007-log-and-alerts.ts';
import { up as registrationExpiry } from './0008-registration-expiry.ts';
import { up as holds } from './0010-holds.ts';
import { up as events } from './0011-events.ts';
import { up as testsInFlight } from './0012-tests-in-flight.ts';
import { up as affixes } from './0013-affixes.ts';
import { up as reviews } from './0014-reviews.ts';
import { up as testSends } from './0015-test-sends.ts';
import { up as keyRotation } from './0016-key-rotation.ts';
import { up as textSearch } from './0017-text-search.ts';
import { up as versions } from './0018-versions.ts';
import { up as suppressions } from './0020-suppressions.ts';
import { up as media } from './0021-media.ts';
import { up as unknowns } from './0022-unknowns.ts';
import { up as repeats } from './0023-repeats.ts';
import { up as rounds } from './0024-rounds.ts';
import { up as resendAbsent } from './0025-resend-absent.ts';
import { up as budgets } from './0027-budgets.ts';
import { up as circuits } from './0028-circuits.ts';
import { up as senderReports } from './0029-sender-reports.ts';
import { up as quotas } from './0030-quotas.ts';
import { up as carrierPermits } from './0031-carrier-permits.ts';
import { up as recipientsByNumber } from './0033-recipients-by-number.ts';
import { up as callbackRefusals } from './0034-callback-refusals.ts';
import { up as unknownTests } from './0035-unknown-tests.ts';
import { up as eventNames } from './0036-event-names.ts';
import { up as plainReports } from './0040-plain-reports.ts';
import { up as plainBulkReports } from './0041-plain-bulk-reports.ts';
import { up as reportOrder } from './0042-report-order.ts';
import { up as refusedTexts } from './0045-refused-texts.ts';
import { up as stragglers } from './0046-stragglers.ts';
import { up as ownClaimsAndUuids } from './0048-own-claims-and-uuids.ts';
import { up as forwardCursors } from './0049-forward-cursors.ts';
import { up as pagesOfRuns } from './0050-pages-of-runs.ts';
import { up as orderOfPlans } from './0051-order-of-plans.ts';
import { up as parents } from './0052-parents.ts';
import { up as presets } from './0053-presets.ts';
import { up as centralCampaigns } from './0054-central-campaigns.ts';
import { up as centralReviews } from './0055-central-reviews.ts';
import { up as missingRuns } from './0056-missing-runs.ts';
import { up as enabledSubAccounts } from './0057-enabled-sub-accounts.ts';
import { up as messagesOfParts } from './0060-messages-of-parts.ts';
import { up as turns } from './0061-turns.ts';
import { up as faultsOfRestarts } from './0062-faults-of-restarts.ts';
import { up as newsOfCentrals } from './0063-news-of-centrals.ts';
import { up as skippedMessages } from './0064-skipped-messages.ts';
import { up as reasonsOfParts } from './0065-reasons-of-parts.ts';
import { up as heldSince } from './0066-held-since.ts';
import { up as zonesOfParts } from './0067-zones-of-parts.ts';
import { up as countSubAccounts } from './0068-count-sub-accounts.ts';
import { up as leftOpenLeases } from './0069-left-open-leases.ts';

/** Every migration by name, in the order in which they run. Kysely asks that the names sort that way. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-roles': { up: roles },
  '0002-accounts': { up: accounts },
  '0003-contacts': { up: contacts },
  '0004-campaigns': { up: campaigns },
  '0005-ledger': { up: ledger },
  '0006-system-functions': { up: systemFunctions },
  '0007-log-and-alerts': { up: logAndAlerts },
  '0008-registration-expiry': { up: registrationExpiry },
  '0010-holds': { up: holds },
  '0011-events': { up: events },
  '0012-tests-in-flight': { up: testsInFlight },
  '0013-affixes': { up: affixes },
  '0014-reviews': { up: reviews },
  '0015-test-sends': { up: testSends },
  '0016-key-rotation': { up: keyRotation },
  '0017-text-search': { up: textSearch },
  '0018-versions': { up: versions },
  '0020-suppressions': { up: suppressions },
  '0021-media': { up: media },
  '0022-unknowns': { up: unknowns },
  '0023-repeats': { up: repeats },
  '0024-rounds': { up: rounds },
  '0025-resend-absent': { up: resendAbsent },
  '0027-budgets': { up: budgets },
  '0028-circuits': { up: circuits },
  '0029-sender-reports': { up: senderReports },
  '0030-quotas': { up: quotas },
  '0031-carrier-permits': { up: carrierPermits },
  '0033-recipients-by-number': { up: recipientsByNumber },
  '0034-callback-refusals': { up: callbackRefusals },
  '0035-unknown-tests': { up: unknownTests },
  '0036-event-names': { up: eventNames },
  '0040-plain-reports': { up: plainReports },
  '0041-plain-bulk-reports': { up: plainBulkReports },
  '0042-report-order': { up: reportOrder },
  '0045-refused-texts': { up: refusedTexts },
  '0046-stragglers': { up: stragglers },
  '0048-own-claims-and-uuids': { up: ownClaimsAndUuids },
  '0049-forward-cursors': { up: forwardCursors },
  '0050-pages-of-runs': { up: pagesOfRuns },
  '0051-order-of-plans': { up: orderOfPlans },
  '0052-parents': { up: parents },
  '0053-presets': { up: presets },
  '0054-central-campaigns': { up: centralCampaigns },
  '0055-central-reviews': { up: centralReviews },
  '0056-missing-runs': { up: missingRuns },
  '0057-enabled-sub-accounts': { up: enabledSubAccounts },
  '0060-messages-of-parts': { up: messagesOfParts },
  '0061-turns': { up: turns },
  '0062-faults-of-restarts': { up: faultsOfRestarts },
  '0063-news-of-centrals': { up: newsOfCentrals },
  '0064-skipped-messages': { up: skippedMessages },
  '0065-reasons-of-parts': { up: reasonsOfParts },
  '0066-held-since': { up: heldSince },
  '0067-zones-of-parts': { up: zonesOfParts },
  '0068-count-sub-accounts': { up: countSubAccounts },
  '0069-left-open-leases': { up: leftOpenLeases },
};
