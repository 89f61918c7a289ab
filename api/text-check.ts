import { isWellFormedText } from '../domain/text-input.ts';
import type { Api } from './deps.ts';
import { type FieldError, Problem } from './problem.ts';

const DEPTH_MAX = 32;

/** Refuses NUL bytes, lone surrogates and control characters anywhere in a JSON body, a path or a query. */
export function registerTextCheck(api: Api): void {
  api.addHook('preValidation', (request, _reply, done) => {
    const body = request.routeOptions.config.takesForm === true ? undefined : request.body;
    if (isPlain(body, 0) && isPlain(request.query, 0) && isPlain(request.params, 0)) {
      done();
      return;
    }
    const errors: FieldError[] = [];
    for (const [base, value] of [
      ['', body],
      ['/query', request.query],
      ['/params', request.params],
    ] as const) {
      collect(base, value, errors, 0);
    }
    done(
      errors.length === 0
        ? undefined
        : new Problem('invalid-text', 'A text holds characters that cannot be kept.', { errors }),
    );
  });
}

/** Nearly all is: to see that takes less than to find out where it is not. Whatever is not sure is not plain. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isWellFormedText(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= DEPTH_MAX) return false;
  if (Object.getPrototypeOf(value) === Buffer.prototype) return true;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  return Object.entries(value).every(([key, item]) => isWellFormedText(key) && isPlain(item, depth + 1));
}

function collect(pointer: string, value: unknown, errors: FieldError[], depth: number): void {
  if (depth > DEPTH_MAX) {
    throw new Problem('malformed-request', `The body is nested deeper than ${DEPTH_MAX} levels. Flatten it.`);
  }
  if (typeof value === 'string') {
    if (!isWellFormedText(value.replaceAll('\r\n', '\n'))) {
      errors.push({ pointer, message: 'Remove NUL, control characters and unpaired surrogates.' });
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(`${pointer}/${index}`, item, errors, depth + 1);
  } else if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) !== Buffer.prototype
  ) {
    for (const [key, item] of Object.entries(value)) {
      if (!isWellFormedText(key))
        errors.push({ pointer, message: 'The name of a field is not a well-formed text.' });
      else collect(`${pointer}/${key}`, item, errors, depth + 1);
    }
  }
}
