import { defineCommand } from '../cli-command.js';
import { UsageError } from '../exit-codes.js';
import { reportWrite } from '../write-report.js';

export const deleteCommand = defineCommand({
  command: 'delete [urn..]',
  describe: 'Delete entities, or one link; the next upsert brings them back',
  positionals: { urn: { type: 'string', array: true, default: [] as string[], describe: 'urn of an entity' } },
  options: {
    purge: { type: 'boolean', default: false, describe: 'remove entities for good, with their links and history' },
    link: { type: 'string', describe: 'kind of the link to delete, with --from and --to', requiresArg: true },
    from: { type: 'string', describe: 'urn that the link leaves', requiresArg: true },
    to: { type: 'string', describe: 'urn that the link enters', requiresArg: true },
    'if-version': { type: 'number', describe: 'only when this is its present version', requiresArg: true },
    atomic: { type: 'boolean', default: false, describe: 'all or none' },
  },
  examples: [
    ['$0 delete nucleus:tag:pii', 'hides a tag'],
    ['$0 delete nucleus:tag:pii --purge', 'removes it for good'],
    ['$0 delete --link TAGGED --from nucleus:owner:ann --to nucleus:tag:pii', 'takes a tag off'],
  ],
  run: async (args, { client, output, signal }) => {
    const { urn: urns, purge, link, from, to, atomic } = args;
    const version = args['if-version'];
    const ifVersion = version === undefined ? {} : { ifVersion: version };
    const options = { signal, onRefusal: 'return' } as const;
    if (link !== undefined || from !== undefined || to !== undefined) {
      if (link === undefined || from === undefined || to === undefined || urns.length > 0 || purge) {
        throw new UsageError('a link is named by --link, --from and --to together, without urns and without --purge');
      }
      return reportWrite(await client.delete({ links: [{ kind: link, from, to, ...ifVersion }] }, options), output);
    }
    if (urns.length === 0) throw new UsageError('name what to delete: urns, or a link');
    if (version !== undefined && urns.length > 1) throw new UsageError('--if-version goes with one urn');
    const entities = urns.map((urn) => ({ urn, ...ifVersion }));
    if (purge) return reportWrite(await client.purge({ entities, atomic }, options), output);
    return reportWrite(await client.delete({ entities, atomic }, options), output);
  },
});
