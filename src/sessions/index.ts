/**
 * The sessions room owns the cookies of a browser and the sign-ins they stand for. It refuses to know how somebody
 * signed in (federated-identities) or what a client may do with it (authorization).
 */
export { Cookies } from './cookies.js';
export { Sessions, type Session } from './sessions.js';
export { SessionsModule } from './sessions.module.js';
