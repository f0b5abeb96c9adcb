import { InputError, type InputProblem } from '#errors';
import type { PropertyDefinition, PropertyType } from '#graph-schema';
import type { KindRegistry } from '#graph-store';
import { underInput } from './user-errors.js';

interface KindPropertyInput {
  readonly name: string;
  readonly type: PropertyType;
  readonly required?: boolean | null;
  readonly description?: string | null;
}

export interface DefineEntityKindInput {
  readonly name: string;
  readonly description: string;
  readonly urnKind?: string | null;
  readonly keyParts?: readonly string[] | null;
  readonly properties?: readonly KindPropertyInput[] | null;
  readonly links?:
    | readonly {
        readonly kind: string;
        readonly to: readonly string[];
        readonly properties?: readonly KindPropertyInput[] | null;
        readonly description?: string | null;
      }[]
    | null;
}

/**
 * Defines a kind of entity, or lets one grow.
 *
 * @throws InputError that lists everything that is wrong with it
 */
export function defineEntityKind(kinds: KindRegistry, actor: string, input: DefineEntityKindInput) {
  return underInput(() => {
    const repeated: InputProblem[] = [];
    const properties = byName(input.properties ?? [], 'properties', repeated);
    const links = (input.links ?? []).map((link, index) => ({
      kind: link.kind,
      to: link.to,
      properties: byName(link.properties ?? [], `links.${index}.properties`, repeated),
      ...(link.description != null && { description: link.description }),
    }));
    const [first, ...rest] = repeated;
    if (first !== undefined) throw new InputError([first, ...rest]);
    const { name, description } = input;
    const urnKind = input.urnKind ?? urnKindOf(name);
    return kinds.define(
      { name, description, urnKind, keyParts: input.keyParts ?? ['name'], properties, links },
      { actor },
    );
  });
}

function byName(
  properties: readonly KindPropertyInput[],
  field: string,
  repeated: InputProblem[],
): Readonly<Record<string, PropertyDefinition>> {
  const definitions = new Map<string, PropertyDefinition>();
  for (const [elementIndex, { name, type, required, description }] of properties.entries()) {
    if (definitions.has(name)) {
      repeated.push({
        code: 'BAD_USER_INPUT',
        field: `${field}.${elementIndex}.name`,
        message: 'is given twice',
        elementIndex,
      });
    }
    definitions.set(name, {
      type,
      ...(required && { required: true as const }),
      ...(description != null && { description }),
    });
  }
  return Object.fromEntries(definitions);
}

/** `JiraIssue` has urns `nucleus:jira-issue:…`, `SLAReport2` has `nucleus:sla-report2:…`. */
function urnKindOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
