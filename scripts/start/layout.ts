import { join } from 'node:path';
import { RECORD_SUFFIX, REPOSITORY_ROOT } from '#stack';

const home = join(REPOSITORY_ROOT, '.nucleus');

/** Where `npm start` keeps its state: all of it git-ignored, all of it under one folder. */
export const LAYOUT = {
  data: join(home, 'data'),
  logs: join(home, 'logs'),
  run: join(home, 'run'),
  secrets: join(home, 'secrets'),
  sparkJars: join(home, 'jars', 'spark'),
  lock: join(home, 'run', 'start.lock'),
  ports: join(home, 'run', 'ports.json'),
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
