/** The GraphQL documents of the demo, with the types of what they return. */

export interface UserError {
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
}

export const TEMPLATES = `
query Templates {
  metadataEndpointTemplates { id title role }
}`;
export interface TemplatesData {
  readonly metadataEndpointTemplates: readonly { readonly id: string; readonly title: string; readonly role: string }[];
}

export const ENDPOINTS = `
query Endpoints($ids: [ID!]!) {
  metadataEndpoints(ids: $ids) { nodes { id } }
}`;
export interface EndpointsData {
  readonly metadataEndpoints: { readonly nodes: readonly { readonly id: string }[] };
}

export const REGISTER_ENDPOINT = `
mutation RegisterEndpoint($input: RegisterMetadataEndpointInput!) {
  payload: registerMetadataEndpoint(input: $input) { userErrors { code field message } }
}`;

export const UPDATE_ENDPOINT = `
mutation UpdateEndpoint($input: UpdateMetadataEndpointInput!) {
  payload: updateMetadataEndpoint(input: $input) { userErrors { code field message } }
}`;

export const DEFINE_UNIT = `
mutation DefineUnit($input: DefineIngestionUnitInput!) {
  payload: defineIngestionUnit(input: $input) { userErrors { code field message } }
}`;

export const START_INGESTION = `
mutation StartIngestion($input: StartIngestionInput!) {
  payload: startIngestion(input: $input) { runId alreadyRunning userErrors { code field message } }
}`;
export interface Payload {
  readonly payload: { readonly userErrors: readonly UserError[] };
}
export interface StartPayload {
  readonly payload: { readonly runId: string | null; readonly userErrors: readonly UserError[] };
}

export type RunState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export interface Run {
  readonly id: string;
  readonly state: RunState;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly error: { readonly code: string; readonly field: string | null; readonly message: string } | null;
  readonly stats: { readonly rowsRead: number; readonly rowsWritten: number } | null;
}

const RUN_FIELDS = 'id state startedAt endedAt stats error { code field message }';

export const RUN = `
query OneRun($runId: ID!) {
  ingestionRuns(runId: $runId) { nodes { ${RUN_FIELDS} } }
}`;
export interface RunData {
  readonly ingestionRuns: { readonly nodes: readonly Run[] };
}

export const RUN_EVENTS = `
subscription RunEvents($endpointId: ID!) {
  ingestionRunEvents(filter: { endpointId: $endpointId }) {
    kind
    run { ${RUN_FIELDS} }
    progress { runId rowsRead rowsWritten rowsPerSecond phase }
  }
}`;
export interface RunEventsData {
  readonly ingestionRunEvents: {
    readonly kind: 'SUBSCRIBED' | 'STATE_CHANGED' | 'PROGRESS' | 'HEARTBEAT';
    readonly run: Run | null;
    readonly progress: {
      readonly runId: string;
      readonly rowsRead: number;
      readonly rowsWritten: number;
      readonly rowsPerSecond: number;
      readonly phase: string;
    } | null;
  };
}
