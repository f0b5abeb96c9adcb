import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One event of a real client, or of a suite that consumers are tested by. */
export interface Sample {
  /** File below the folder, with the index in it where a file holds several. */
  readonly name: string;
  readonly event: unknown;
}

/**
 * Folder with events of OpenLineage that are not part of this repository: published suites and what real clients have sent.
 *
 * @throws Error when it is not told: a test that needs it fails, it never skips
 */
export function sampleFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const folder = environment.OPENLINEAGE_EVENTS;
  if (folder) return folder;
  throw new Error('OPENLINEAGE_EVENTS is not set: give the folder with the sample events of OpenLineage');
}

/** The events in all JSON files of a folder, whatever else is there; placeholders for times are filled in. */
export function samplesIn(folder: string): Sample[] {
  return jsonFiles(folder).flatMap((file) => {
    const held = JSON.parse(withTimes(readFileSync(path.join(folder, file), 'utf8'))) as unknown;
    const several = Array.isArray(held);
    return (several ? held : [held])
      .map((event: unknown, index) => ({ name: several ? `${file}#${index}` : file, event }))
      .filter(({ event }) => typeof event === 'object' && event !== null && 'eventTime' in event);
  });
}

export interface FacetSample {
  readonly file: string;
  /** Name of the schema file, for instance `SQLJobFacet`. */
  readonly schema: string;
  readonly facets: Readonly<Record<string, unknown>>;
}

/** The examples of single facets that come with the specification. */
export function facetSamplesIn(folder: string): FacetSample[] {
  const tests = path.join('spec', 'tests');
  return jsonFiles(folder)
    .filter((file) => path.dirname(path.dirname(file)) === tests)
    .map((file) => ({
      file,
      schema: path.basename(path.dirname(file)),
      facets: JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Record<string, unknown>,
    }));
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort();
}

function withTimes(text: string): string {
  return text
    .replaceAll('{{RUN_START_TIME}}', '2026-01-01T08:00:00Z')
    .replaceAll(
      /\{\{RUN_END_TIME_AFTER_(\d+)_MINUTES\}\}/g,
      (_, minutes: string) => `2026-01-01T08:${minutes.padStart(2, '0')}:00Z`,
    );
}
