import { createHash } from 'node:crypto';
import { InputError, type InputProblem } from '#errors';
import { captionOf, formatUrn, INGESTION_JOB_NAMESPACE, parseUrn, UrnSyntaxError } from '#graph-schema';
import type { KnowledgeReader } from '#graph-store';
import type { EditedEdge } from '#ingestion';

export interface LineageEdgeInput {
  readonly from: string;
  readonly to: string;
  readonly via?: string | null;
}

/** Namespace of the jobs that are made for edges between two data sets of which nobody knows the job. */
const MANUAL_JOB_NAMESPACE = 'nucleus-manual';
const MOST_EDGES = 100;

/** An end of an edge as its urn tells it. */
interface End {
  readonly urn: string;
  readonly kind: string;
  readonly parts: readonly string[];
}

/**
 * The edges of the graph that a user means: one, or two with a job between.
 *
 * @throws InputError that lists everything that is wrong with them
 */
export async function editedEdges(
  reader: Pick<KnowledgeReader, 'nodes'>,
  inputs: readonly LineageEdgeInput[],
): Promise<readonly EditedEdge[]> {
  if (inputs.length < 1 || inputs.length > MOST_EDGES) {
    throw InputError.one('BAD_USER_INPUT', 'edges', `must be from 1 to ${MOST_EDGES}, got ${inputs.length}`);
  }
  const problems: InputProblem[] = [];
  const edges = inputs.flatMap((input, elementIndex) => {
    const refuse: Refuse = (code, field, message) => {
      problems.push({ code, field: `edges.${elementIndex}.${field}`, message, elementIndex });
      return [];
    };
    return edgesOf(input, refuse);
  });
  problems.push(...(await missingEnds(reader, inputs)));
  const [first, ...others] = problems;
  if (first !== undefined) throw new InputError([first, ...others]);
  return [...new Map(edges.map((edge) => [JSON.stringify(edge), edge])).values()];
}

type Refuse = (code: InputProblem['code'], field: string, message: string) => [];

function edgesOf(input: LineageEdgeInput, refuse: Refuse): EditedEdge[] {
  const [from, to, via] = [endOf(input.from), endOf(input.to), input.via == null ? null : endOf(input.via)];
  for (const [field, end] of Object.entries({ from, to, via })) {
    if (end === undefined) return refuse('BAD_USER_INPUT', field, 'is no urn in its canonical spelling');
    if (end?.kind === 'job' && end.parts[0] === INGESTION_JOB_NAMESPACE) {
      return refuse('BAD_USER_INPUT', field, 'is a unit of Nucleus, which tells itself what it reads and writes');
    }
  }
  if (from === undefined || to === undefined || via === undefined) return [];
  if (via !== null && via.kind !== 'job') return refuse('BAD_USER_INPUT', 'via', 'must be the urn of a job');
  switch (`${from.kind} ${to.kind}`) {
    case 'dataset job':
    case 'job dataset':
      if (via !== null) return refuse('BAD_USER_INPUT', 'via', 'has no place here: one of the ends is the job');
      return [{ kind: from.kind === 'job' ? 'PRODUCES' : 'FEEDS', from: from.urn, to: to.urn }];
    case 'dataset dataset': {
      const job = via?.urn ?? manualJob(from, to);
      return [
        { kind: 'FEEDS', from: from.urn, to: job },
        { kind: 'PRODUCES', from: job, to: to.urn },
      ];
    }
    case 'field field':
      return [{ kind: 'DERIVES', from: from.urn, to: to.urn, via: via?.urn ?? null }];
    default:
      return refuse(
        'BAD_USER_INPUT',
        'to',
        'does not fit `from`: edges go from data set to job, job to data set, data set to data set, or column to column',
      );
  }
}

function endOf(urn: string): End | undefined {
  try {
    return { urn, ...parseUrn(urn) };
  } catch (error) {
    if (error instanceof UrnSyntaxError) return undefined;
    throw error;
  }
}

/** One for each pair, so that an edge can be withdrawn and drawn again; the name is for people, the hash tells pairs apart. */
function manualJob(from: End, to: End): string {
  const hash = createHash('sha256').update(`${from.urn} ${to.urn}`).digest('hex').slice(0, 16);
  return formatUrn('job', [MANUAL_JOB_NAMESPACE, `${shortCaption(from)} → ${shortCaption(to)} #${hash}`]);
}

/** By characters: half of one is none. */
const shortCaption = ({ urn }: End): string => [...captionOf(urn)].slice(0, 200).join('');

/** A urn with a slip in it would make a thing that nobody knows. */
async function missingEnds(
  reader: Pick<KnowledgeReader, 'nodes'>,
  inputs: readonly LineageEdgeInput[],
): Promise<InputProblem[]> {
  const named = inputs.flatMap(({ from, to, via }, elementIndex) =>
    Object.entries({ from, to, ...(via != null && { via }) }).map(([field, urn]) => ({ field, urn, elementIndex })),
  );
  const found = await reader.nodes(named.map(({ urn }) => urn));
  return named.flatMap(({ field, urn, elementIndex }, index): InputProblem[] => {
    if (found[index] !== null || endOf(urn) === undefined) return [];
    const message = `names nothing that is there: ${JSON.stringify(urn.slice(0, 200))}`;
    return [{ code: 'NOT_FOUND', field: `edges.${elementIndex}.${field}`, message, elementIndex }];
  });
}
