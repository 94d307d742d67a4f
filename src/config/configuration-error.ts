/**
 * A wrong or missing setting. It ends the start with one message that names the setting and says what to do;
 * the message never holds the value, which may be a secret.
 */
export class ConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}
