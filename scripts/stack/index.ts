/**
 * The servers that Nucleus needs, as local processes on 127.0.0.1: for `npm start` with data that stay, and for tests on free
 * ports with folders of their own. Each is a child in its own process group, has its pid recorded and its output in a log file.
 *
 * @example
 * import { startNeo4j } from '#stack';
 * await using neo4j = await startNeo4j({ dataDir: '/tmp/example', password: 'not-a-secret' });
 * const driver = connect(neo4j.uri, neo4j.user, neo4j.password);
 */
export { APP_PROCESSES, type AppProcessName, type AppProcessOptions, type RunningApp, startApp } from './app.js';
export { freePort, freePortFrom } from './free-port.js';
export { NEO4J_CLASSES, type Neo4jOptions, neo4jClassPath, type RunningNeo4j, startNeo4j } from './neo4j.js';
export { type PostgresOptions, type RunningPostgres, startPostgres } from './postgres.js';
export { type ProcessRecord, RECORD_SUFFIX, reapRecorded } from './process-record.js';
export { openRunFolder, type RunFolder } from './run-folder.js';
export { JARS_FOLDER, REPOSITORY_ROOT, type RunningServer, type ServerOptions } from './server-options.js';
export { STACK_ERROR_CODES, StackError, type StackErrorCode } from './stack-error.js';
export { type RunningTemporal, startTemporal, type TemporalOptions } from './temporal.js';
