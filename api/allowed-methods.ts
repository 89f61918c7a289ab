import { METHODS } from 'node:http';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Api } from './deps.ts';
import { Problem } from './problem.ts';

/**
 * Tells a path that does not exist from one that does not take the method: 405 with `Allow` (RFC 9110, 15.5.6), before
 * a body is read. Has to be registered before the routes.
 */
export function registerAllowedMethods(api: Api, options: { readonly maxParamLength: number }): void {
  const router = findMyWay(options);
  const taken = new Set<HTTPMethod>();
  const words = new Map<string, Set<string>>();
  api.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) {
      if (!isKnown(name)) continue;
      taken.add(name);
      router.on(name, url, () => undefined);
      if (/^\/v1\/[^:*]+$/.test(url)) words.set(url, (words.get(url) ?? new Set()).add(name));
    }
  });

  const methodsOf = (path: string): readonly string[] => {
    // A path of words, such as `/v1/contacts/find`, means itself also where `/v1/contacts/:id` takes the method.
    const own = words.get(path);
    return own === undefined ? [...taken].filter((name) => router.find(name, path) !== null) : [...own];
  };
  api.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    if (!request.is404 && words.get(path)?.has(request.method) !== false) return;
    const allowed = methodsOf(path).toSorted();
    if (allowed.length === 0) return;
    reply.header('allow', allowed.join(', '));
    throw new Problem(
      'method-not-allowed',
      `This path takes ${allowed.join(', ')}. /docs says what each does.`,
    );
  });
}

function isKnown(method: string): method is HTTPMethod {
  return METHODS.includes(method);
}
