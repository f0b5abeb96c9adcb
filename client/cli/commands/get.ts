import { NucleusError } from '../../nucleus-error.js';
import type { Entity, EntityChange, Link } from '../../schema-types.js';
import { changeItemLine, timeOf } from '../change-lines.js';
import { defineCommand } from '../cli-command.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Output } from '../output.js';

interface Shown extends Entity {
  readonly links?: readonly Link[];
  readonly changes?: readonly EntityChange[];
}

/** Urns in one request; the server takes 500. */
const AT_ONCE = 100;

export const getCommand = defineCommand({
  command: 'get <urn..>',
  describe: 'Show entities by their urns',
  positionals: { urn: { type: 'string', array: true, demandOption: true, describe: 'urn of an entity' } },
  options: {
    links: { type: 'boolean', default: false, describe: 'with all links from and to each' },
    history: { type: 'boolean', default: false, describe: 'with what has happened to each, the latest first' },
    deleted: { type: 'boolean', default: false, describe: 'deleted ones too' },
  },
  examples: [
    ['$0 get nucleus:dataset:s3%3A%2F%2Flake:orders --links', 'a data set with its tags, owners and neighbours'],
    ['$0 get nucleus:tag:pii --history --json', 'with its history, as one JSON value'],
  ],
  run: async ({ urn: urns, links, history, deleted }, { client, output, signal }) => {
    const missing: string[] = [];
    for (let from = 0; from < urns.length; from += AT_ONCE) {
      const some = urns.slice(from, from + AT_ONCE);
      const found = await client.nodes(some, { signal, includeDeleted: deleted });
      for (const [index, urn] of some.entries()) {
        const entity = found[index];
        if (entity === null || entity === undefined) {
          missing.push(urn);
          continue;
        }
        const shown: Shown = {
          ...entity,
          ...(links && { links: await client.links(urn, { signal, pageSize: 100 }).all() }),
          ...(history && { changes: await client.changes(urn, { signal, pageSize: 100 }).all() }),
        };
        await output.result(shown, () => textOf(shown, output));
      }
    }
    if (missing.length === 0) return EXIT_CODES.ok;
    output.failure(new NucleusError('NOT_FOUND', `there is no ${missing.join(', ')}`, { details: { urns: missing } }));
    return EXIT_CODES.notFound;
  },
});

function textOf(entity: Shown, output: Output): string {
  const { kind, name, urn, version, updatedAt, deletedAt, placeholder, properties, browserUrl } = entity;
  const states = [deletedAt !== null && `deleted ${timeOf(deletedAt)}`, placeholder && 'placeholder'].filter(Boolean);
  const lines = [
    `${output.paint('cyan', kind)} ${name}${states.length > 0 ? output.paint('yellow', ` (${states.join(', ')})`) : ''}`,
    `  ${output.paint('dim', 'urn')} ${urn}`,
    `  ${output.paint('dim', 'version')} ${version}, ${timeOf(updatedAt)}`,
    ...(browserUrl === null ? [] : [`  ${output.paint('dim', 'browser')} ${browserUrl}`]),
    ...Object.entries(properties).map(
      ([property, value]) => `  ${property}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
    ...(entity.links ?? []).map(({ kind: link, direction, node }) =>
      direction === 'OUT' ? `  -${link}-> ${node.urn}` : `  <-${link}- ${node.urn}`,
    ),
    ...(entity.changes ?? []).map(
      ({ at, actor, item }) => `  ${timeOf(at)} ${changeItemLine(item, output)} by ${actor}`,
    ),
  ];
  return lines.join('\n');
}
