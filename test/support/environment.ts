/** What `npm test` tells the tests about the servers that it has started, or was given. */
const VARIABLES = [
  'NEO4J_URI',
  'NEO4J_USER',
  'NEO4J_PASSWORD',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEST_POSTGRES_URL',
  'TEST_RECORDS_DIR',
  'SPARK_JARS_DIR',
] as const;

export type TestEnvironment = Readonly<Record<(typeof VARIABLES)[number], string>>;

/** @throws Error that names each missing variable: a test whose server is not there fails, it never skips */
export function testEnvironment(environment: NodeJS.ProcessEnv = process.env): TestEnvironment {
  const missing = VARIABLES.filter((name) => !environment[name]);
  if (missing.length > 0) {
    throw new Error(
      `${missing.join(', ')} not set: these tests need real servers, run them by \`npm test -- <file>\`, which starts them`,
    );
  }
  return Object.fromEntries(VARIABLES.map((name) => [name, environment[name]])) as TestEnvironment;
}
