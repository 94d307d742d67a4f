import { invalidParameter } from '../../../common/domain-error.js';
import { Secret } from '../../../common/secret.js';

/** The token that a request is about. @see RFC 7009 section 2.1, RFC 7662 section 2.1 */
export function presentedToken(parameters: ReadonlyMap<string, string>): Secret {
  const token = parameters.get('token');
  if (token === undefined) throw invalidParameter('token', 'is missing');
  return new Secret(token);
}
