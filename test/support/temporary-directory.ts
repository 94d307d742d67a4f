export { removeTemporaryDirectory, temporaryDirectory } from './lifeline.mjs';
