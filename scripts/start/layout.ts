import { join, resolve } from 'node:path';
import { JARS_FOLDER, RECORD_SUFFIX, REPOSITORY_ROOT } from '#stack';

// From the checkout, not from the working folder: `start` and `stop` must mean the same one wherever they are called.
const home = resolve(REPOSITORY_ROOT, process.env.NUCLEUS_HOME || '.nucleus');

/** Where `npm start` keeps its state, all of it under one folder; what the set-up makes belongs to the checkout instead. */
export const LAYOUT = {
  data: join(home, 'data'),
  logs: join(home, 'logs'),
  run: join(home, 'run'),
  secrets: join(home, 'secrets'),
  lock: join(home, 'run', 'start.lock'),
  ports: join(home, 'run', 'ports.json'),
  sparkJars: join(JARS_FOLDER, 'spark'),
  python: join(REPOSITORY_ROOT, '.venv', 'bin', 'python'),
} as const;

/** Data, log and pid record of one server or process. */
export function placeOf(name: string): { dataDir: string; logFile: string; recordFile: string } {
  return {
    dataDir: join(LAYOUT.data, name),
    logFile: join(LAYOUT.logs, `${name}.log`),
    recordFile: join(LAYOUT.run, `${name}${RECORD_SUFFIX}`),
  };
}

/** Those that write before those that they write to, so that nothing is cut off in the middle. */
export const STOP_ORDER = ['api', 'control-worker', 'data-worker', 'temporal', 'neo4j', 'postgres'] as const;
