import { type Alert, acknowledgeAlert, findAlert, listAlerts, lockAlert } from '../../db/alert-rows.ts';
import { withAccount } from '../../db/database.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange } from '../log-change.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, problems } from '../problem.ts';
import { AlertOutput, AlertQuery } from '../schemas/alert-schemas.ts';
import { idParams } from '../schemas/common.ts';
import { alertView } from '../views/alert-view.ts';

const params = idParams('alt');

/** Alerts: what needs somebody, one a cause, resolved by itself when the cause is gone. */
export function registerAlertRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/alerts',
    {
      config: { scope: 'read', orInstallation: true, forParents: 'reports' },
      schema: {
        operationId: 'listAlerts',
        summary: 'List alerts',
        description:
          "The latest first. An operator's key without Carillon-Account reads those of the installation.",
        tags: ['oversight'],
        querystring: AlertQuery,
        response: { 200: pageOf(AlertOutput), ...problems() },
      },
    },
    async (request) => {
      const { kind = [], severity = [], state = [], campaignId = [], subjectId = [] } = request.query;
      const filter = {
        kinds: kind,
        severities: severity,
        states: state,
        campaignIds: campaignId,
        subjectIds: subjectId,
      };
      const range = rangeOf(request.query);
      const { items, total } = await withAccount(deps.db, request.caller.accountId, (trx) =>
        listAlerts(trx, filter, range),
      );
      return toPage(items.map(alertView), total, range);
    },
  );

  api.get(
    '/v1/alerts/:id',
    {
      config: { scope: 'read', orInstallation: true, forParents: 'reports' },
      schema: {
        operationId: 'getAlert',
        summary: 'Read an alert',
        tags: ['oversight'],
        params,
        response: { 200: AlertOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const alert = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findAlert(trx, request.params.id),
      );
      if (alert === null) throw notFound('alert');
      setEtag(reply, alert.version);
      return alertView(alert);
    },
  );

  api.post(
    '/v1/alerts/:id/acknowledge',
    {
      config: { scope: 'write', orInstallation: true },
      schema: {
        operationId: 'acknowledgeAlert',
        summary: 'Say that somebody takes care of it',
        description:
          'The first who does is kept. It stays until its cause is gone, and is a new alert if that comes back.',
        tags: ['oversight'],
        params,
        response: { 200: AlertOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { actor } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const before = await lockAlert(trx, id);
        if (before === null) throw notFound('alert');
        checkIfMatch(request, before.version);
        if (await acknowledgeAlert(trx, id, actor.id)) {
          const campaign = before.campaignId === null ? {} : { campaignId: before.campaignId };
          await logChange(trx, request.caller, { kind: 'alert', id }, { what: 'acknowledge', ...campaign });
        }
        const after: Alert = (await findAlert(trx, id)) ?? before;
        return { status: 200, body: alertView(after) };
      });
      return body;
    },
  );
}
