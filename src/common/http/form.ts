import { DomainError } from '../domain-error.js';

const MAX_PARAMETER_BYTES = 8_192;

/**
 * Reads `application/x-www-form-urlencoded` parameters: a repeated one is refused, an empty value counts as absent,
 * unknown ones are kept for whoever knows them. @see RFC 6749 sections 3.1, 3.2 and appendix B
 */
export function formParameters(encoded: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(encoded)) {
    if (seen.has(name)) throw invalidParameter(name, 'is repeated');
    seen.add(name);
    if (Buffer.byteLength(value) > MAX_PARAMETER_BYTES)
      throw invalidParameter(name, `is longer than ${MAX_PARAMETER_BYTES} bytes`);
    if (value !== '') parameters.set(name, value);
  }
  return parameters;
}

/** The parameters of a form body, which the pipeline has decoded; of any other body, none. */
export function formBody(body: unknown): Map<string, string> {
  const entries = body instanceof FormBody ? Object.entries(body) : [];
  return new Map(entries as [string, string][]);
}

/** A decoded form; told apart from a JSON body, which may hold anything. */
export class FormBody {
  [name: string]: string;

  static decode(encoded: string): FormBody {
    return Object.assign(new FormBody(), Object.fromEntries(formParameters(encoded)));
  }
}

/** The parameters of the query, from the URL as it was sent: Express would fold repeated ones into arrays. */
export function queryParameters(url: string): Map<string, string> {
  const start = url.indexOf('?');
  return formParameters(start === -1 ? '' : url.slice(start + 1));
}

export function invalidParameter(parameter: string, problem: string): DomainError {
  // Only a name of the expected form is repeated to the caller; it may be anything.
  const name = /^[A-Za-z0-9_.-]{1,64}$/.test(parameter) ? parameter : 'a parameter';
  return new DomainError('request.parameter-invalid', {
    publicDetail: `${name} ${problem}`,
    meta: { parameter: name },
  });
}
