import { connection, type PageArguments } from './connection.js';
import type { GraphqlContext } from './graphql-context.js';
import { endpointView, lower, runView, templateView, unitView } from './views.js';

interface UnitArguments extends PageArguments {
  readonly endpointId?: string | null;
  readonly unitId?: string | null;
}

const given = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

export const queryResolvers = {
  metadataEndpointTemplates: async (_: unknown, args: { role?: string | null }, { commands }: GraphqlContext) => {
    const templates = await commands.catalog.templates({ role: args.role == null ? undefined : lower(args.role) });
    return templates.map(templateView);
  },

  metadataEndpoints: async (
    _: unknown,
    args: PageArguments & { ids?: readonly string[] | null; role?: string | null },
    { commands: { catalog }, browserUrl }: GraphqlContext,
  ) => {
    const templates = new Map((await catalog.templates()).map((template) => [template.id, template]));
    const list = catalog.endpoints({ ids: given(args.ids), role: args.role == null ? undefined : lower(args.role) });
    return connection(list, args, (endpoint) => endpointView(endpoint, templates.get(endpoint.templateId), browserUrl));
  },

  ingestionUnits: (_: unknown, args: UnitArguments, { commands, browserUrl }: GraphqlContext) =>
    connection(
      commands.catalog.units({ endpointId: given(args.endpointId), unitId: given(args.unitId) }),
      args,
      (unit) => unitView(unit, browserUrl),
    ),

  ingestionStatuses: (_: unknown, args: UnitArguments, { commands }: GraphqlContext) =>
    connection(
      commands.catalog.statuses({ endpointId: given(args.endpointId), unitId: given(args.unitId) }),
      args,
      (status) => status,
    ),

  ingestionRuns: (
    _: unknown,
    args: UnitArguments & { runId?: string | null },
    { commands, browserUrl }: GraphqlContext,
  ) =>
    connection(
      commands.catalog.runs({
        endpointId: given(args.endpointId),
        unitId: given(args.unitId),
        runId: given(args.runId),
      }),
      args,
      (run) => runView(run, browserUrl),
    ),
};
