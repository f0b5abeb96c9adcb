import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { JARS_FOLDER, NEO4J_CLASSES, neo4jClassPath } from '#stack';

const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';

/** With `-Xshare:on` a JVM ends with an error where it would otherwise go on without the archive. */
const startWith = (archive: string) =>
  promisify(execFile)(java, [
    ...['-Xshare:on', `-XX:SharedArchiveFile=${archive}`],
    ...['-cp', neo4jClassPath(join(JARS_FOLDER, 'neo4j')), '-version'],
  ]);

it('the archive of the classes of Neo4j fits its jars and the JVM', async () => {
  await expect(startWith(NEO4J_CLASSES)).resolves.toMatchObject({ stderr: expect.stringContaining('version') });
  await expect(startWith(`${NEO4J_CLASSES}.absent`)).rejects.toThrow();
});
