import { browserLink, entityQuery } from '#graph-schema';
import type { EndpointRecord, RunRecord, TemplateRecord, UnitRecord } from '#graph-store';
import { policySchema } from '#ingestion/contracts';
import { redactConfigSecrets } from '../secrets/index.js';

/** Enum values are upper case in GraphQL and lower case in the contract with Python. */
export const upper = (value: string): string => value.toUpperCase();
export const lower = <T extends string>(value: string): T => value.toLowerCase() as T;

export function browserUrlOf(base: string | undefined, urn: string): string | null {
  return base === undefined ? null : browserLink(base, entityQuery(urn));
}

export function templateView(template: TemplateRecord) {
  return { ...template, role: upper(template.role), writeModes: template.writeModes.map(upper) };
}

/**
 * An endpoint as callers may see it. Without its template nobody can tell which fields are secret, so then none is shown.
 */
export function endpointView(
  endpoint: EndpointRecord,
  template: TemplateRecord | undefined,
  browserBase: string | undefined,
) {
  const shown =
    template === undefined
      ? { config: {}, secretsSet: [] }
      : redactConfigSecrets(endpoint.config, template.configSchema);
  return { ...endpoint, ...shown, role: upper(endpoint.role), browserUrl: browserUrlOf(browserBase, endpoint.urn) };
}

export function unitView(unit: UnitRecord, browserBase: string | undefined) {
  return {
    ...unit,
    mode: upper(unit.mode),
    effectivePolicy: policySchema.parse(unit.policy),
    sinks: unit.sinks.map((sink) => ({ ...sink, writeMode: upper(sink.writeMode) })),
    browserUrl: browserUrlOf(browserBase, unit.urn),
  };
}

export function runView<Run extends Pick<RunRecord, 'urn'>>(run: Run, browserBase: string | undefined) {
  return { ...run, browserUrl: browserUrlOf(browserBase, run.urn) };
}
