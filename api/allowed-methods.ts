import findMyWay from 'find-my-way';
import type { Api } from './deps.ts';
import { Problem } from './problem.ts';

/**
 * Tells a path that does not exist from one that does not take the method: 405 with `Allow` (RFC 9110, 15.5.6), before
 * a body is read. A path of words means itself also where a sibling takes any: `/v1/contacts/find` is no contact. Has
 * to be registered before the routes.
 */
export function registerAllowedMethods(api: Api, options: { readonly maxParamLength: number }): void {
  // One entry a path, whatever its methods; the most specific path wins.
  const paths = findMyWay(options);
  const methodsOf = new Map<string, Set<string>>();
  api.addHook('onRoute', ({ method, url }) => {
    // The documentation's pages are a plugin's, which serves them by one wildcard beside paths of their own.
    if (url.startsWith('/docs')) return;
    const path = url.replaceAll(/:\w+/g, ':part');
    const known = methodsOf.get(path);
    const methods = known ?? new Set<string>();
    for (const name of [method].flat()) methods.add(name);
    if (known !== undefined) return;
    methodsOf.set(path, methods);
    paths.on('GET', path, () => undefined, methods);
  });
  const isAmbiguous = knownOnce((url: string) => [...methodsOf.keys()].some((path) => isWithin(path, url)));
  api.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions;
    // A route was found for the method, and no path of words can be meant in its place.
    if (!request.is404 && url !== undefined && !isAmbiguous(url)) {
      done();
      return;
    }
    const path = request.url.split('?', 1)[0] ?? '';
    // The store is what `on` was given.
    const methods = paths.find('GET', path)?.store as Set<string> | undefined;
    if (methods === undefined || methods.has(request.method)) {
      done();
      return;
    }
    const allowed = [...methods].toSorted().join(', ');
    reply.header('allow', allowed);
    done(new Problem('method-not-allowed', `This path takes ${allowed}. /docs says what each does.`));
  });
}

/** Whether a path names with words what another takes any word for. */
function isWithin(path: string, wider: string): boolean {
  const [words, parts] = [path.split('/'), wider.split('/')];
  const isPart = (word: string | undefined): boolean => word?.startsWith(':') === true;
  return (
    words.length === parts.length &&
    words.every((word, index) => isPart(parts[index]) || word === parts[index]) &&
    words.some((word, index) => isPart(parts[index]) && !isPart(word))
  );
}

function knownOnce(find: (key: string) => boolean): (key: string) => boolean {
  const known = new Map<string, boolean>();
  return (key) => {
    const found = known.get(key) ?? find(key);
    known.set(key, found);
    return found;
  };
}
