/**
 * The door of the server for the scripts that make files from it; the server itself is started by `main.ts`.
 *
 * @example
 * console.log(printSchema(await createExecutableSchema({})));
 */
export { createExecutableSchema } from './graphql/executable-schema.js';
