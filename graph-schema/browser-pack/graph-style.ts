import type { EntityKind } from '../entity-kinds.js';

interface LabelStyle {
  readonly color: string;
  /** Property whose value stands in the circle. */
  readonly caption: string;
  /** Pixels across. */
  readonly diameter: number;
}

const [SMALL, USUAL, LARGE] = [40, 60, 75];

/** What a node without a label of its own looks like: placeholders, and kinds of users. */
const PLAIN_NODE: LabelStyle = { color: '#a5abb6', caption: 'name', diameter: USUAL };

/**
 * How nodes look in Neo4j Browser, by label. Where a node carries two of them the later rule wins, so the more specific label
 * stands behind the more general one.
 */
export const LABEL_STYLES: Readonly<Record<EntityKind, LabelStyle>> = {
  Dataset: { color: '#4c8eda', caption: 'name', diameter: LARGE },
  DatasetVersion: { color: '#8dcce3', caption: 'name', diameter: USUAL },
  Field: { color: '#c990c0', caption: 'name', diameter: SMALL },
  Job: { color: '#f79767', caption: 'name', diameter: LARGE },
  IngestionUnit: { color: '#f16667', caption: 'name', diameter: LARGE },
  IngestionUnitState: { color: '#ffc454', caption: 'state', diameter: SMALL },
  Run: { color: '#57c7e3', caption: 'state', diameter: USUAL },
  IngestionRun: { color: '#569480', caption: 'state', diameter: USUAL },
  Checkpoint: { color: '#d9c8ae', caption: 'name', diameter: USUAL },
  MetadataEndpoint: { color: '#8c5ab8', caption: 'name', diameter: LARGE },
  MetadataEndpointTemplate: { color: '#b39ddb', caption: 'name', diameter: USUAL },
  EndpointTest: { color: '#7fb069', caption: 'name', diameter: SMALL },
  MetadataCollection: { color: '#a3b18a', caption: 'state', diameter: SMALL },
  Tag: { color: '#ecb5c9', caption: 'name', diameter: SMALL },
  Owner: { color: '#f4d35e', caption: 'name', diameter: USUAL },
  GlossaryTerm: { color: '#9bc53d', caption: 'name', diameter: USUAL },
  Domain: { color: '#5b8e7d', caption: 'name', diameter: LARGE },
  Person: { color: '#f2a65a', caption: 'name', diameter: USUAL },
  Project: { color: '#2f6690', caption: 'name', diameter: LARGE },
  Issue: { color: '#81c3d7', caption: 'key', diameter: USUAL },
  Space: { color: '#3a7d44', caption: 'name', diameter: LARGE },
  Page: { color: '#a3c9a8', caption: 'name', diameter: USUAL },
  File: { color: '#d4a5a5', caption: 'name', diameter: USUAL },
  KindDefinition: { color: '#6d7d8b', caption: 'name', diameter: USUAL },
};

/** The style file of Neo4j Browser, which it takes by `:style <address>` or dropped as a `.grass` file. */
export function graphStyle(): string {
  const node = (selector: string, { color, caption, diameter }: LabelStyle) =>
    rule(selector, {
      diameter: `${diameter}px`,
      color,
      'border-color': darker(color),
      'border-width': '2px',
      'text-color-internal': '#1d1f23',
      'font-size': '10px',
      caption: `'{${caption}}'`,
    });
  return [
    node('node', PLAIN_NODE),
    // Browser gives a label of its own a colour of its choice, unless a rule names it.
    node('node.Entity', PLAIN_NODE),
    ...Object.entries(LABEL_STYLES).map(([label, style]) => node(`node.${label}`, style)),
    rule('relationship', {
      color: '#a5abb6',
      'shaft-width': '1px',
      'font-size': '8px',
      padding: '3px',
      'text-color-external': '#000000',
      'text-color-internal': '#ffffff',
      caption: "'<type>'",
    }),
  ].join('\n');
}

function rule(selector: string, properties: Readonly<Record<string, string>>): string {
  const lines = Object.entries(properties).map(([name, value]) => `  ${name}: ${value};`);
  return `${selector} {\n${lines.join('\n')}\n}\n`;
}

/** @param color as `#rrggbb` */
function darker(color: string): string {
  const parts = [1, 3, 5].map((at) => Math.round(Number.parseInt(color.slice(at, at + 2), 16) * 0.8));
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
