import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveRegion } from '../setup/live-region.mjs';
import type { LaunchedStack } from '../start/launch-stack.js';
import { LAYOUT } from '../start/layout.js';
import { DEMO_UNITS, type DemoEndpoint, type DemoUnit, demoEndpoints, SOURCE_ID } from './demo-catalog.js';
import { followRuns, type RunFollower } from './follow-runs.js';
import { GraphqlClient } from './graphql-client.js';
import {
  DEFINE_UNIT,
  ENDPOINTS,
  type EndpointsData,
  type Payload,
  REGISTER_ENDPOINT,
  type Run,
  type RunState,
  START_INGESTION,
  type StartPayload,
  TEMPLATES,
  type TemplatesData,
  UPDATE_ENDPOINT,
  type UserError,
} from './operations.js';
import { showProgress } from './progress-view.js';

export interface DemoOptions {
  readonly stack: LaunchedStack;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  readonly region: LiveRegion;
}

/** How one unit's run has ended. */
export interface UnitResult {
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string;
  readonly mode: DemoUnit['mode'];
  readonly writeMode: DemoUnit['writeMode'];
  readonly runId: string;
  readonly state: RunState;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly seconds: number;
  readonly error: string | null;
}

/** The API refused what the demo asked for. */
class DemoRefused extends Error {
  constructor(what: string, errors: readonly UserError[]) {
    const reasons = errors.map(({ code, field, message }) => `${field ?? 'input'}: ${message} (${code})`);
    super(`${what} was refused: ${reasons.join('; ')}`);
    this.name = 'DemoRefused';
  }
}

const TEMPLATES_DEADLINE_MS = 60_000;

function refuseErrors(what: string, { payload }: Payload): void {
  if (payload.userErrors.length > 0) throw new DemoRefused(what, payload.userErrors);
}

/** The server learns the templates from the Python worker, which may take a moment after both are ready. */
async function awaitTemplates(
  client: GraphqlClient,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const deadline = Date.now() + TEMPLATES_DEADLINE_MS;
  for (;;) {
    const { metadataEndpointTemplates } = await client.request<TemplatesData>(TEMPLATES);
    const ids = metadataEndpointTemplates.map((template) => template.id);
    if (wanted.every((id) => ids.includes(id))) return ids;
    if (Date.now() > deadline) {
      throw new Error(
        `the server knows the templates [${ids.join(', ')}] but not all of [${wanted.join(', ')}]; ` +
          `see ${LAYOUT.logs}/data-worker.log`,
      );
    }
    await sleep(250, undefined, { signal });
  }
}

/** Registers an endpoint, or brings it up to date: the port of the demo's Postgres may have changed since the last start. */
async function putEndpoint(client: GraphqlClient, endpoint: DemoEndpoint, exists: boolean): Promise<void> {
  const { id, templateId, name, config } = endpoint;
  const result = exists
    ? await client.request<Payload>(UPDATE_ENDPOINT, { input: { id, name, config } })
    : await client.request<Payload>(REGISTER_ENDPOINT, { input: { id, templateId, name, config } });
  refuseErrors(`endpoint ${id}`, result);
}

async function defineUnit(client: GraphqlClient, unit: DemoUnit): Promise<void> {
  const input = {
    endpointId: SOURCE_ID,
    unitId: unit.unitId,
    object: { schema: 'public', table: unit.unitId },
    mode: unit.mode,
    cursorField: unit.cursorField ?? null,
    primaryKey: unit.primaryKey,
    sinks: [{ endpointId: unit.sinkId, target: unit.unitId, writeMode: unit.writeMode }],
  };
  refuseErrors(`unit ${unit.unitId}`, await client.request<Payload>(DEFINE_UNIT, { input }));
}

async function startUnit(client: GraphqlClient, unit: DemoUnit): Promise<string> {
  const input = { endpointId: SOURCE_ID, unitId: unit.unitId, sinkId: unit.sinkId };
  const { payload } = await client.request<StartPayload>(START_INGESTION, { input });
  refuseErrors(`start of ${unit.unitId}`, { payload });
  if (!payload.runId) throw new Error(`startIngestion of ${unit.unitId} returned neither a run nor an error`);
  return payload.runId;
}

function resultOf(unit: DemoUnit, run: Run): UnitResult {
  const { unitId, sinkId, mode, writeMode } = unit;
  const [start, end] = [run.startedAt, run.endedAt].map((at) => (at ? Date.parse(at) : Number.NaN));
  return {
    endpointId: SOURCE_ID,
    unitId,
    sinkId,
    mode,
    writeMode,
    runId: run.id,
    state: run.state,
    rowsRead: run.stats?.rowsRead ?? 0,
    rowsWritten: run.stats?.rowsWritten ?? 0,
    seconds: Number.isNaN(start) || Number.isNaN(end) ? 0 : ((end as number) - (start as number)) / 1000,
    error: run.error
      ? `${run.error.code}${run.error.field ? ` at ${run.error.field}` : ''}: ${run.error.message}`
      : null,
  };
}

async function ingest(client: GraphqlClient, follower: RunFollower, options: DemoOptions): Promise<UnitResult[]> {
  const started = await Promise.all(DEMO_UNITS.map(async (unit) => ({ unit, runId: await startUnit(client, unit) })));
  const rows = started.map(({ unit, runId }) => ({ unit, look: () => follower.view(runId) }));
  const hideProgress = showProgress(rows, options.region);
  try {
    return await Promise.all(started.map(async ({ unit, runId }) => resultOf(unit, await follower.ended(runId))));
  } finally {
    hideProgress();
  }
}

/**
 * Does what a user would do, through the public API alone: lists the templates, registers source and sinks, defines the units,
 * starts them all and watches until each has ended.
 * @throws DemoRefused, GraphqlRequestError
 */
export async function runDemo(options: DemoOptions): Promise<UnitResult[]> {
  const { stack, token, signal, region } = options;
  const client = new GraphqlClient({ apiUrl: stack.apiUrl, token, signal });
  try {
    const endpoints = demoEndpoints(stack.demoPostgresUrl, LAYOUT.data);
    const templates = await awaitTemplates(
      client,
      endpoints.map((endpoint) => endpoint.templateId),
      signal,
    );
    region.print(`\nTemplates: ${templates.join(', ')}`);

    const ids = endpoints.map((endpoint) => endpoint.id);
    const known = await client.request<EndpointsData>(ENDPOINTS, { ids });
    const knownIds = new Set(known.metadataEndpoints.nodes.map((node) => node.id));
    for (const endpoint of endpoints) await putEndpoint(client, endpoint, knownIds.has(endpoint.id));
    region.print(`Endpoints: ${ids.join(', ')}`);

    for (const unit of DEMO_UNITS) await defineUnit(client, unit);
    region.print(`Units:     ${DEMO_UNITS.map((unit) => unit.unitId).join(', ')}\n`);

    const follower = await followRuns(client, SOURCE_ID, signal);
    try {
      return await ingest(client, follower, options);
    } finally {
      follower.close();
    }
  } finally {
    await client[Symbol.asyncDispose]();
  }
}
