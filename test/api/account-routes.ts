import { type OpenApiDocument, type Reply, type Route, routesOf } from './api-world.ts';
import { ROUTE_CASES } from './route-table.ts';

/** One operation with its id. */
export type AccountRoute = Route & { readonly id: string };

/** Every route of an account: what changes something comes last, and what removes something at the very end, members first. */
export function routesOfAccounts(document: OpenApiDocument): AccountRoute[] {
  const order = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  return routesOf(document)
    .map((route) => ({ ...route, id: route.operation.operationId ?? '' }))
    .filter(({ id }) => !['public', 'operator', undefined].includes(ROUTE_CASES[id]?.scope))
    .toSorted(
      (one, other) =>
        order.indexOf(one.method) - order.indexOf(other.method) || other.path.length - one.path.length,
    );
}

/** An answer in a word: its status, and the code of a refusal. */
export function answerOf({ status, body }: Reply): string {
  return status < 400 ? String(status) : `${status} ${String(body['code'])}`;
}
