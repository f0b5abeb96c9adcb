import type { SearchEdge } from '../../schema-types.js';
import { defineCommand } from '../cli-command.js';
import { EXIT_CODES, UsageError } from '../exit-codes.js';
import type { Output } from '../output.js';

export const searchCommand = defineCommand({
  command: 'search <text..>',
  describe: 'Find entities by words in their names and descriptions, the best first',
  positionals: { text: { type: 'string', array: true, demandOption: true, describe: 'words that must all occur' } },
  options: {
    kind: { type: 'string', array: true, describe: 'only entities of this kind; may be repeated', requiresArg: true },
    limit: { type: 'number', default: 20, describe: 'entities at most', requiresArg: true },
  },
  examples: [
    ['$0 search orders', 'everything about orders'],
    ['$0 search customer add --kind Dataset --json', 'data sets, as one JSON value a line'],
  ],
  run: async ({ text, kind, limit }, { client, output, signal }) => {
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number above 0');
    const options = { signal, pageSize: Math.min(limit, 100), ...(kind && { kinds: kind }) };
    let found = 0;
    for await (const hit of client.search(text.join(' '), options)) {
      await output.result(hit, () => shown(hit, output));
      found += 1;
      if (found >= limit) break;
    }
    if (found === 0) output.note('nothing found');
    return EXIT_CODES.ok;
  },
});

function shown({ node, highlights }: SearchEdge, output: Output): string {
  const where = highlights.map(({ property, text }) => `\n    ${output.paint('dim', property)} ${text}`);
  return `${output.paint('cyan', node.kind)} ${node.name}  ${output.paint('dim', node.urn)}${where.join('')}`;
}
