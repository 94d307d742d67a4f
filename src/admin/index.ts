/**
 * The admin room owns the admin API: who may use it, its wire, and operations that cross rooms. It refuses to know any
 * rule: those stand in the room that they are about.
 */
export { AdminModule } from './admin.module.js';
