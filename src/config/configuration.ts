import { readConfigFile } from './config-file.js';
import type { Declarations } from './declarations.js';
import { readEnvironment, type Environment } from './environment.js';

/** Everything the operator decided, validated once at start; nothing else that runs reads the environment. */
export class Configuration {
  /** Our `iss`, and the base of every URL we hand out; never derived from a Host header. @see RFC 8414 section 2 */
  readonly issuer: string;
  /** The path of the issuer, '' where it has none: a gateway may or may not strip it. */
  readonly issuerPath: string;

  constructor(
    readonly environment: Environment,
    readonly declared: Declarations,
  ) {
    this.issuer = environment.ISSUER ?? `http://localhost:${environment.PORT}`;
    this.issuerPath = new URL(this.issuer).pathname.replace(/\/$/, '');
  }

  /** An absolute URL of ours for a path that begins with a slash. */
  url(path: string): string {
    return this.issuer + path;
  }

  get secureCookies(): boolean {
    return this.issuer.startsWith('https:');
  }
}

/** @throws ConfigurationError naming the first wrong setting. */
export function loadConfiguration(variables: NodeJS.ProcessEnv): Configuration {
  const environment = readEnvironment(variables);
  return new Configuration(environment, readConfigFile(environment.CONFIG_FILE, variables));
}
