/**
 * What can go wrong, as data. Any room may import this one; it imports none.
 *
 * @example
 * throw InputError.one('NOT_FOUND', 'input.endpointId', 'names no endpoint: "crm"');
 */
export { AppError, type ErrorDetails, InputError, type InputProblem } from './app-error.js';
export { ERROR_REGISTRY, type ErrorCode, REQUEST_ERROR_REGISTRY } from './error-registry.js';
