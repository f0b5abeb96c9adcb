import type { IngestionMode, SinkRun, WriteMode } from '#ingestion/contracts';
import { type DefineIngestionUnitInput, defineIngestionUnit } from '../commands/define-ingestion-unit.js';
import { type DeleteEndpointInput, deleteMetadataEndpoint } from '../commands/delete-metadata-endpoint.js';
import { type RegisterEndpointInput, registerMetadataEndpoint } from '../commands/register-metadata-endpoint.js';
import { cancelIngestion, type StartIngestionInput, startIngestion } from '../commands/start-ingestion.js';
import { type UpdateEndpointInput, updateMetadataEndpoint } from '../commands/update-metadata-endpoint.js';
import { withUserErrors } from '../commands/user-errors.js';
import { commitToken } from './commit-token.js';
import type { GraphqlContext } from './graphql-context.js';
import { endpointView, lower, unitView } from './views.js';

interface Input<T> {
  readonly input: T;
}

const NO_RUNS = { runId: null as string | null, runs: [] as readonly SinkRun[] };
const NO_ENDPOINT = { endpoint: null as ReturnType<typeof endpointView> | null, commit: null as string | null };

export const mutationResolvers = {
  registerMetadataEndpoint: (_: unknown, { input }: Input<RegisterEndpointInput>, context: GraphqlContext) =>
    withUserErrors(NO_ENDPOINT, async () => {
      const { endpoint, template, sequence } = await registerMetadataEndpoint(context.commands, input);
      return { endpoint: endpointView(endpoint, template, context.browserUrl), commit: commitToken(sequence) };
    }),

  updateMetadataEndpoint: (_: unknown, { input }: Input<UpdateEndpointInput>, context: GraphqlContext) =>
    withUserErrors(NO_ENDPOINT, async () => {
      const { endpoint, template, sequence } = await updateMetadataEndpoint(context.commands, input);
      return { endpoint: endpointView(endpoint, template, context.browserUrl), commit: commitToken(sequence) };
    }),

  deleteMetadataEndpoint: (_: unknown, { input }: Input<DeleteEndpointInput>, context: GraphqlContext) =>
    withUserErrors({ deletedUrns: [] as readonly string[], commit: null as string | null }, async () => {
      const { deletedUrns, sequence } = await deleteMetadataEndpoint(context.commands, input);
      return { deletedUrns, commit: commitToken(sequence) };
    }),

  defineIngestionUnit: (
    _: unknown,
    { input }: Input<Omit<DefineIngestionUnitInput, 'mode'> & { mode: string }>,
    context: GraphqlContext,
  ) =>
    withUserErrors({ unit: null as ReturnType<typeof unitView> | null, commit: null as string | null }, async () => {
      const { unit, sequence } = await defineIngestionUnit(context.commands, {
        ...input,
        mode: lower<IngestionMode>(input.mode),
        sinks: input.sinks.map((sink) => ({ ...sink, writeMode: lower<WriteMode>(sink.writeMode) })),
      });
      return { unit: unitView(unit, context.browserUrl), commit: commitToken(sequence) };
    }),

  startIngestion: (_: unknown, { input }: Input<StartIngestionInput>, { commands }: GraphqlContext) =>
    withUserErrors({ ...NO_RUNS, alreadyRunning: false }, () => startIngestion(commands, input)),

  cancelIngestion: (
    _: unknown,
    { input }: Input<{ endpointId: string; unitId: string }>,
    { commands }: GraphqlContext,
  ) => withUserErrors(NO_RUNS, () => cancelIngestion(commands, input)),
};
