import { DomainError } from '../../common/domain-error.js';

/** What was found, or nothing where it does not stand: why is not for whoever asks. That we cannot tell now, is. */
export async function ifStanding<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof DomainError && error.code.startsWith('credentials.')) return undefined;
    throw error;
  }
}
