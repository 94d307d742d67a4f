import { DomainError } from '../../../common/domain-error.js';

export interface OnezoneError {
  id: string;
  details?: Record<string, unknown>;
  description: string;
}

/** What is wrong with what was sent, in the vendor's vocabulary, which no other face speaks; always 400. */
export class OnezoneProblem extends DomainError {
  constructor(readonly error: OnezoneError) {
    super('request.parameter-invalid');
  }
}

const provided =
  (id: string, text: string) =>
  (key: string): OnezoneProblem =>
    new OnezoneProblem({ id, details: { key }, description: `Bad value: provided "${key}" ${text}.` });

export const badValueString = provided('badValueString', 'must be a string');
export const badValueBoolean = provided('badValueBoolean', 'must be a boolean');
export const badValueJson = provided('badValueJSON', 'must be a valid JSON');
export const badValueEmpty = provided('badValueEmpty', 'must not be empty');
export const badValueTokenType = provided('badValueTokenType', 'is not a valid token type');
export const badData = provided(
  'badData',
  'has an invalid format or is incomprehensible in the context of this operation',
);

export const missingRequiredValue = (key: string): OnezoneProblem =>
  new OnezoneProblem({
    id: 'missingRequiredValue',
    details: { key },
    description: `Missing required value: ${key}.`,
  });

export const missingAtLeastOneValue = (keys: readonly string[]): OnezoneProblem =>
  new OnezoneProblem({
    id: 'missingAtLeastOneValue',
    details: { keys },
    description: `Missing data, you must provide at least one of: ${keys.join(', ')}.`,
  });

export const badValueTextTooLarge = (key: string, limit: number): OnezoneProblem =>
  new OnezoneProblem({
    id: 'badValueTextTooLarge',
    details: { key, limit },
    description: `Bad value: the text provided in "${key}" cannot be larger than ${limit} characters.`,
  });

export const badValueName = (key: string): OnezoneProblem =>
  new OnezoneProblem({
    id: 'badValueName',
    details: { key },
    description: `Bad value provided for "${key}": Name must be 2-128 characters long and composed only of UTF-8 letters, digits, brackets and underscores. Dashes, spaces and dots are allowed (but not at the beginning or the end).`,
  });

export const badValueIdentifierOccupied = (key: string): OnezoneProblem =>
  new OnezoneProblem({
    id: 'badValueIdentifierOccupied',
    details: { key },
    description: `Bad value: provided identifier ("${key}") is already occupied.`,
  });

export const badValueCaveat = (caveat: unknown): OnezoneProblem =>
  new OnezoneProblem({
    id: 'badValueCaveat',
    details: { caveat },
    description: `Provided caveat is invalid: '${JSON.stringify(caveat)}'.`,
  });

export const tokenTimeCaveatRequired = (maxTtl: number): OnezoneProblem =>
  new OnezoneProblem({
    id: 'tokenTimeCaveatRequired',
    details: { maxTtl },
    description: `You must specify a time caveat with maximum TTL of ${maxTtl} seconds.`,
  });

export const limitReached = (limit: number, resourceDescription: string): OnezoneProblem =>
  new OnezoneProblem({
    id: 'limitReached',
    details: { limit, resourceDescription },
    description: `The limit for ${resourceDescription} has been reached: ${limit}.`,
  });

export const badValueToken = (key: string, tokenError: OnezoneError): OnezoneProblem =>
  new OnezoneProblem({
    id: 'badValueToken',
    details: { key, tokenError },
    description: `Bad value: provided "${key}" is not a valid token (see details).`,
  });
