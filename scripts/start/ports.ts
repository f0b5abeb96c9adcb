import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { freePortFrom } from '#stack';

const DEFAULT_PORTS = {
  api: 4000,
  neo4jHttp: 7474,
  neo4jBolt: 7687,
  temporal: 7233,
  temporalUi: 8233,
  /** Not 5432, where a developer's own Postgres lives. */
  postgres: 54_329,
} as const;
export type PortName = keyof typeof DEFAULT_PORTS;
export type Ports = Readonly<Record<PortName, number>>;

function readRemembered(file: string): Partial<Record<PortName, number>> {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<PortName, number>>;
  } catch {
    return {}; // torn by a crash; the defaults do as well
  }
}

/**
 * Chooses a port for each server: the one of the last start, else the default, else the next free one.
 * @param wished ports that the user has asked for
 * @param onMoved told of each port that was taken
 */
export async function choosePorts(
  file: string,
  wished: Partial<Record<PortName, number>>,
  onMoved: (name: PortName, taken: number, chosen: number) => void,
): Promise<Ports> {
  const remembered = readRemembered(file);
  const chosen: Partial<Record<PortName, number>> = {};
  const toRemember = { ...remembered };
  for (const name of Object.keys(DEFAULT_PORTS) as PortName[]) {
    const preferred = wished[name] ?? remembered[name] ?? DEFAULT_PORTS[name];
    const port = await freePortFrom(preferred);
    if (port !== preferred) onMoved(name, preferred, port);
    chosen[name] = port;
    // A port that was asked for holds for this start only.
    if (wished[name] === undefined) toRemember[name] = port;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(toRemember));
  return chosen as Ports;
}
