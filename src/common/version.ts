/** Of this service, as package.json has it. */
export const VERSION = '0.4.0';
