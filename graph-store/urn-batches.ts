type Parameters = Readonly<Record<string, unknown>>;
type Run = <Row>(statement: string, parameters: Parameters) => Promise<Row[]>;

interface Waiting {
  readonly resolve: (rows: never[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly statement: string;
  readonly parameters: Parameters;
  readonly waiting: Map<string, Waiting[]>;
}

/** A query over more urns than this would keep its first answers waiting for its last. */
const MOST_URNS = 100;

/**
 * Reads that ask the same of many entities within one turn of the event loop, as the resolvers of a list do, and that are
 * then answered by one query instead of one each.
 */
export class UrnBatches {
  readonly #run: Run;
  readonly #open = new Map<string, Batch>();

  constructor(run: Run) {
    this.#run = run;
  }

  /**
   * Rows of one entity.
   *
   * @param statement takes `urns` beside the parameters, and returns the urn that each row is of as `urn`
   */
  read<Row extends { urn: string }>(statement: string, urn: string, parameters: Parameters): Promise<Row[]> {
    const key = `${statement} ${JSON.stringify(parameters)}`;
    const batch = this.#open.get(key) ?? this.#begin(key, { statement, parameters, waiting: new Map() });
    return new Promise<Row[]>((resolve, reject) => {
      const waiting = batch.waiting.get(urn) ?? [];
      waiting.push({ resolve, reject });
      batch.waiting.set(urn, waiting);
      if (batch.waiting.size >= MOST_URNS) this.#open.delete(key);
    });
  }

  #begin(key: string, batch: Batch): Batch {
    this.#open.set(key, batch);
    setImmediate(() => {
      if (this.#open.get(key) === batch) this.#open.delete(key);
      void this.#answer(batch);
    });
    return batch;
  }

  async #answer({ statement, parameters, waiting }: Batch): Promise<void> {
    try {
      const rows = await this.#run<{ urn: string }>(statement, { ...parameters, urns: [...waiting.keys()] });
      const byUrn = new Map<string, object[]>([...waiting.keys()].map((urn) => [urn, []]));
      for (const row of rows) byUrn.get(row.urn)?.push(row);
      for (const [urn, asked] of waiting) {
        for (const { resolve } of asked) resolve((byUrn.get(urn) ?? []) as never[]);
      }
    } catch (error) {
      for (const { reject } of [...waiting.values()].flat()) reject(error);
    }
  }
}
