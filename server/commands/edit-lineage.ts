import { randomUUID } from 'node:crypto';
import { AppError, InputError } from '#errors';
import { parseUrn, UrnSyntaxError } from '#graph-schema';
import type { ChangeLog, KnowledgeReader, LineageReader } from '#graph-store';
import type { EditedEdge, LineageRetention, OpenLineage, TakenEvents } from '#ingestion';
import { editedEdges, type LineageEdgeInput } from './edited-edges.js';

/** What edits of lineage work with. */
export interface EditLineageContext {
  readonly openLineage: Pick<OpenLineage, 'edits' | 'drainer'>;
  readonly lineage: Pick<LineageReader, 'isDrawnByHand'>;
  readonly reader: Pick<KnowledgeReader, 'nodes'>;
  readonly retention: Pick<LineageRetention, 'isRemoved'>;
  readonly log: Pick<ChangeLog, 'head'>;
  readonly actor: string;
  /** How long an answer waits for the graph, in milliseconds. */
  readonly waitMs: number;
}

export interface EditLineageEdgesInput {
  readonly edges: readonly LineageEdgeInput[];
  readonly note?: string | null;
  readonly idempotencyKey?: string | null;
}

const LONGEST_NOTE = 2_000;

/**
 * Asserts or withdraws edges by hand; they are in the graph when the promise resolves.
 *
 * @returns the edges, and a sequence of the change log by which the graph has them
 * @throws InputError that lists everything that is wrong with the input
 * @throws AppError TIMEOUT with the token when the graph takes too long; the edit waits in the inbox then
 */
export async function editLineageEdges(
  context: EditLineageContext,
  does: 'assert' | 'withdraw',
  { edges: inputs, note, idempotencyKey }: EditLineageEdgesInput,
): Promise<{ edges: readonly EditedEdge[]; sequence: number }> {
  checkNote(note, 'note');
  if (idempotencyKey != null && !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(idempotencyKey)) {
    throw InputError.one('BAD_USER_INPUT', 'idempotencyKey', 'must have 1 to 200 printable characters');
  }
  const edges = await editedEdges(context.reader, inputs);
  if (does === 'withdraw') await checkDrawn(context, edges);
  const { actor } = context;
  const id = idempotencyKey == null ? randomUUID() : JSON.stringify([actor, idempotencyKey]);
  const taken = await context.openLineage.edits.take({ is: 'edge-edit', id, does, edges, actor, note: note ?? null });
  return { edges, sequence: await arrived(context, taken) };
}

/**
 * Rolls back a run, or restores it; it is so in the graph when the promise resolves.
 *
 * @returns a sequence of the change log by which the graph has it
 * @throws InputError for what is no run of a client
 * @throws AppError as above
 */
export async function editRun(
  context: EditLineageContext,
  does: 'roll-back' | 'restore',
  { urn, reason }: { readonly urn: string; readonly reason?: string | null },
): Promise<{ sequence: number }> {
  checkNote(reason, 'reason');
  const run = await clientRun(context, urn);
  const { actor } = context;
  const id = randomUUID();
  const taken = await context.openLineage.edits.take({ is: 'run-edit', id, does, run, actor, note: reason ?? null });
  return { sequence: await arrived(context, taken) };
}

function checkNote(note: string | null | undefined, field: string): void {
  if (note == null || note.length <= LONGEST_NOTE) return;
  throw InputError.one('BAD_USER_INPUT', field, `must have ${LONGEST_NOTE} characters at most, got ${note.length}`);
}

/** One that was withdrawn before is fine: a request may be repeated. */
async function checkDrawn({ lineage }: EditLineageContext, edges: readonly EditedEdge[]): Promise<void> {
  const drawn = await lineage.isDrawnByHand(edges);
  const place = drawn.indexOf(false);
  const edge = edges[place];
  if (edge === undefined) return;
  const message = `hold ${edge.from} → ${edge.to}, which nobody has asserted by hand: what runs have said is taken back by rollBackRun`;
  throw InputError.one('NOT_FOUND', 'edges', message);
}

/** @returns the id of the run, which retention may have removed: what it has asserted is there still */
async function clientRun({ reader, retention }: EditLineageContext, urn: string): Promise<string> {
  const id = runIdIn(urn);
  if (id === undefined) throw InputError.one('BAD_USER_INPUT', 'urn', 'must be the urn of a run, nucleus:run:<id>');
  const [run] = await reader.nodes([urn]);
  if (run == null && (await retention.isRemoved(urn))) return id;
  if (run == null) throw InputError.one('NOT_FOUND', 'urn', 'names no run that is there');
  if (!run.labels.includes('IngestionRun')) return id;
  const message = 'is a run of Nucleus itself: only runs that events of OpenLineage tell of can be rolled back';
  throw InputError.one('BAD_USER_INPUT', 'urn', message);
}

function runIdIn(urn: string): string | undefined {
  try {
    const { kind, parts } = parseUrn(urn);
    return kind === 'run' && parts.length === 1 ? parts[0] : undefined;
  } catch (error) {
    if (error instanceof UrnSyntaxError) return undefined;
    throw error;
  }
}

async function arrived(
  { openLineage, log, waitMs }: EditLineageContext,
  { range, token }: TakenEvents,
): Promise<number> {
  const arrival = await openLineage.drainer.arrival(range, waitMs);
  if (arrival.is === 'late') {
    const message = `the edit is stored and waits for the graph, which has not taken it within ${waitMs} ms: do not send it again`;
    throw new AppError('TIMEOUT', message, { details: { limit: 'waitMs', value: waitMs, token } });
  }
  const [letter] = arrival.parked;
  if (letter !== undefined) {
    const message = `cannot be applied: ${letter.reason.message}; it is kept as dead letter ${letter.position}`;
    throw InputError.one('BAD_USER_INPUT', 'edges', message);
  }
  // An edit that another process has drained, or that changed nothing, is in the graph by now at the latest.
  return arrival.sequence ?? (await log.head());
}
