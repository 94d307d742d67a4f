/**
 * The authorization room owns the authorization endpoint and what a browser sees of it. It refuses to know how
 * somebody signs in (a redirect to /login) and how tokens are made (a code from tokens).
 */
export { AuthorizationModule } from './authorization.module.js';
