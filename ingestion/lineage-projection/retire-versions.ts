import type { LineageHoldings } from '#graph-store';
import { dateOf } from '../openlineage/index.js';
import { RecordBook } from './record-book.js';
import { VERSION } from './record-kinds.js';
import { type RetentionRule, versionPrefix } from './retention-rule.js';
import type { RetentionStep } from './retention-step.js';

/** Versions that one step looks at. */
const MOST_VERSIONS = 500;

/**
 * One step through the versions that events have told of: an old one goes when no run is linked to it any more, unless it is the
 * latest of its data set. One that runs have only read goes in any case: with them nobody is left who vouches for it, and a
 * roll-back of theirs could take it back no more.
 *
 * @param gone runs that count as removed although they are there: those that a dry run would have removed before
 */
export async function retireVersions(
  holdings: LineageHoldings,
  rule: RetentionRule,
  after: string | null,
  gone: ReadonlySet<string>,
): Promise<RetentionStep<string>> {
  const book = new RecordBook(holdings);
  const { versions, next } = await holdings.oldVersions({
    prefix: versionPrefix(rule),
    before: dateOf(rule.before),
    after,
    limit: MOST_VERSIONS,
    // With nobody to leave out, the first that is there decides.
    links: gone.size + 1,
  });
  const unused = versions.filter(({ runs }) => runs.every((run) => gone.has(run))).map(({ urn }) => urn);
  await book.load(unused.map((urn) => [VERSION, urn] as const));
  const told = unused.filter((urn) => book.get(VERSION, urn) !== undefined);
  const newest = await holdings.newestVersions(told);
  const isWritten = (urn: string) => Object.keys(book.get(VERSION, urn)?.writers ?? {}).length > 0;
  const retired = told.filter((urn) => !newest.has(urn) || !isWritten(urn));
  for (const urn of retired) book.remove(VERSION, urn);
  const batch = { purges: retired.map((urn) => ({ urn })) };
  return { write: { records: book.changed(), removed: book.removed(), batch }, retired, next };
}
