import { Neo4jGraphStore, openDriver } from '#graph-store';
import { testEnvironment } from './environment.js';
import { manyDatasets } from './many-datasets.js';

/** A process of its own that writes one large batch: the arguments are its actor, which is also the namespace, and the rows. */
const [actor = '', rows = '0'] = process.argv.slice(2);
const { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD } = testEnvironment();
const driver = openDriver({ uri: NEO4J_URI, user: NEO4J_USER, password: NEO4J_PASSWORD });
await new Neo4jGraphStore(driver).write(manyDatasets(actor, Number(rows)), { actor });
await driver.close();
