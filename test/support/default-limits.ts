import { loadConfig } from '#config';
import { type RequestLimits, requestLimits } from '../../server/graphql/limits/request-limits.js';

const REQUIRED = {
  NUCLEUS_INTERNAL_TOKEN: 'not-a-secret-of-anything',
  NUCLEUS_SECRET_KEY: 'not-a-key',
  NEO4J_PASSWORD: 'not-a-password',
};

/** The limits of a server where no setting changes them. */
export const DEFAULT_LIMITS: RequestLimits = requestLimits(loadConfig('server', REQUIRED));
