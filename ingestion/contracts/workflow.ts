import type {
  CollectMetadataInput,
  CollectMetadataResult,
  PreviewMetadataInput,
  PreviewMetadataResult,
  TestEndpointInput,
  TestEndpointResult,
} from './operations.js';
import type {
  EndpointRef,
  IngestionFailure,
  RunIngestionUnitInput,
  RunIngestionUnitResult,
  RunMetadataFile,
} from './run.js';
import type { TemplateList } from './template.js';

/** One run of a unit into one sink. The run id is made by the caller, so that a repeated start is the same run. */
export interface IngestionRunInput {
  readonly runId: string;
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string;
  /** Shared with the runs into other sinks that write the same extraction. */
  readonly extractionId?: string;
}

/** Runs of one unit into several of its sinks, from one extraction. */
export interface UnitRunsInput {
  readonly endpointId: string;
  readonly unitId: string;
  readonly extractionId: string;
  /** In the order in which they start. */
  readonly runs: readonly SinkRun[];
}

export interface SinkRun {
  readonly runId: string;
  readonly sinkId: string;
}

/** Argument of `ingestionRunWorkflow`. */
export type IngestionWorkflowInput = IngestionRunInput | UnitRunsInput;

export interface PreparedRun {
  readonly payload: RunIngestionUnitInput;
  /** Vendor of the source's template, a part of the checkpoint key. */
  readonly vendor: string;
}

export interface ApplyRunMetadataInput extends IngestionRunInput {
  readonly files: readonly RunMetadataFile[];
}

/** What became of the metadata files of a run. Nothing about them fails it; the first problems are kept. */
export interface RunMetadataSummary {
  readonly files: number;
  /** Files that were not applied, or not as a whole; their rows are not counted. */
  readonly failed: number;
  readonly rows: number;
  readonly refused: number;
  /** `row` is null where the file is at fault. */
  readonly problems: readonly { readonly path: string; readonly row: number | null; readonly message: string }[];
}

export interface CompleteIngestionRunInput extends IngestionRunInput {
  readonly vendor: string;
  /** The checkpoint that the run started from. */
  readonly checkpoint: { readonly version: number; readonly generation: number };
  readonly result: RunIngestionUnitResult;
  /** Absent when the run left no metadata files. */
  readonly metadata?: RunMetadataSummary;
}

export interface FailIngestionRunInput extends IngestionRunInput {
  readonly state: 'FAILED' | 'CANCELLED';
  readonly failure: IngestionFailure | null;
}

/** Argument of `endpointTestWorkflow`. */
export interface EndpointTestInput {
  readonly testId: string;
  /** Id of a registered endpoint, or a config that none has yet. */
  readonly subject: { readonly endpointId: string } | { readonly draft: TestEndpointInput };
}

export interface PreparedEndpointTest {
  readonly payload: TestEndpointInput;
  /** Version of the endpoint whose config is tested; null for a draft. */
  readonly endpointVersion: number | null;
  readonly startedAt: string;
}

/** Result of `endpointTestWorkflow`. */
export interface EndpointTestReport {
  readonly testId: string;
  readonly endpointId: string | null;
  readonly endpointVersion: number | null;
  readonly startedAt: string;
  readonly endedAt: string;
  /** What the steps found; null when they could not be carried out. */
  readonly result: TestEndpointResult | null;
  /** Why they could not be carried out. */
  readonly failure: IngestionFailure | null;
}

/** Argument of `previewWorkflow`. */
export interface PreviewInput extends Omit<PreviewMetadataInput, 'source'> {
  readonly endpointId: string;
}

/** Result of `previewWorkflow`: where the rows are, or why there are none. */
export interface PreviewReport {
  readonly result: PreviewMetadataResult | null;
  readonly failure: IngestionFailure | null;
}

/** Argument of `metadataCollectionWorkflow`. */
export interface CollectionInput {
  readonly collectionId: string;
  readonly endpointId: string;
  readonly scope: readonly string[];
  /** Removes what has vanished however much that is. */
  readonly allowDeletions: boolean;
}

export interface ApplyCollectedInput extends CollectionInput {
  /** Those to apply now. */
  readonly files: readonly RunMetadataFile[];
  /** What came of those before. */
  readonly before: RunMetadataSummary;
  /** Number of all files. */
  readonly total: number;
}

export interface RemoveVanishedInput extends CollectionInput {
  readonly collected: CollectMetadataResult;
}

/** What has vanished of one sort of things. */
export interface Vanished {
  /** How many the graph had from this endpoint. */
  readonly held: number;
  readonly vanished: number;
  readonly removed: number;
}

/** What has vanished from one scope that was looked through to its end. */
export interface ScopeRemoval {
  readonly namespace: string;
  readonly namePrefix: string;
  readonly datasets: Vanished;
  /** Of the data sets that are still there. */
  readonly fields: Vanished;
  /** True when so much has vanished that somebody should confirm it, so nothing was removed. */
  readonly heldBack: boolean;
}

export interface CompleteCollectionInput extends CollectionInput {
  readonly counts: CollectMetadataResult['counts'];
  readonly applied: RunMetadataSummary;
  readonly removals: readonly ScopeRemoval[];
}

export interface FailCollectionInput extends CollectionInput {
  readonly state: 'FAILED' | 'CANCELLED';
  readonly failure: IngestionFailure | null;
}

/** Activities of the TypeScript worker. Each is idempotent on the run id. */
export interface ControlActivities {
  startIngestionRun(input: IngestionRunInput): Promise<PreparedRun>;
  applyRunMetadata(input: ApplyRunMetadataInput): Promise<RunMetadataSummary>;
  completeIngestionRun(input: CompleteIngestionRunInput): Promise<void>;
  failIngestionRun(input: FailIngestionRunInput): Promise<void>;
  storeMetadataEndpointTemplates(list: TemplateList): Promise<void>;
  startCollection(input: CollectionInput): Promise<CollectMetadataInput>;
  applyCollected(input: ApplyCollectedInput): Promise<RunMetadataSummary>;
  removeVanished(input: RemoveVanishedInput): Promise<ScopeRemoval[]>;
  completeCollection(input: CompleteCollectionInput): Promise<void>;
  failCollection(input: FailCollectionInput): Promise<void>;
  endpointRef(endpointId: string): Promise<EndpointRef>;
  prepareEndpointTest(subject: EndpointTestInput['subject']): Promise<PreparedEndpointTest>;
  /** Adds the time at which the test has ended, and keeps the test of a registered endpoint. */
  storeEndpointTest(report: Omit<EndpointTestReport, 'endedAt'>): Promise<EndpointTestReport>;
}

/** Activities of the Python worker. */
export interface DataActivities {
  runIngestionUnit(input: RunIngestionUnitInput): Promise<RunIngestionUnitResult>;
  listMetadataEndpointTemplates(): Promise<TemplateList>;
  testMetadataEndpoint(input: TestEndpointInput): Promise<TestEndpointResult>;
  collectMetadata(input: CollectMetadataInput): Promise<CollectMetadataResult>;
  previewMetadata(input: PreviewMetadataInput): Promise<PreviewMetadataResult>;
}
