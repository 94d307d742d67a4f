/**
 * The sessions room owns the cookies of a browser, the sign-ins they stand for, and what was posted here without them.
 * It refuses to know how somebody signed in (federated-identities) or what a client may do with it (authorization).
 */
export { Cookies } from './cookies.js';
export { PostedParameters } from './posted-parameters.js';
export { Sessions, type Session } from './sessions.js';
export { SessionsModule } from './sessions.module.js';
