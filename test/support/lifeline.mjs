// @ts-check
export * from '../../scripts/lifeline.mjs';
