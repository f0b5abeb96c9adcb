import { loadWorkflowBundle } from '../ingestion/workflow-bundle.js';
import { loadGraphiqlBundle } from '../server/graphiql/graphiql-bundle.js';

/** Makes what the server and the worker would otherwise make at their first start; they look for it in this folder. */
const FOLDER = '.nucleus/build';
await loadWorkflowBundle(FOLDER);
await loadGraphiqlBundle(FOLDER);
