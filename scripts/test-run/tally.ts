import { existsSync, readFileSync } from 'node:fs';

/** How a runner's tests have ended. A skipped or unfinished test was not shown to pass, so it counts as failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** A runner that crashed, or found nothing to run, has failed even when no single test has. */
function withExitCode(tally: Tally, exitCode: number): Tally {
  return exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

function readVitestReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined; // vitest was ended before or while it wrote
  }
}

/** @param file report of vitest's reporter "json" */
export function tallyVitest(file: string, exitCode: number): Tally {
  const report = readVitestReport(file);
  if (!report) return { passed: 0, failed: 1 };
  // A file that can not be loaded has no tests of its own to fail.
  const brokenFiles = report.testResults.filter(
    (result) => result.status === 'failed' && result.assertionResults.length === 0,
  );
  const { numPassedTests: passed, numTotalTests } = report;
  return withExitCode({ passed, failed: numTotalTests - passed + brokenFiles.length }, exitCode);
}

/** @param file report of pytest's `--junitxml` */
export function tallyPytest(file: string, exitCode: number): Tally {
  const suite = existsSync(file) ? /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8'))?.[0] : undefined;
  if (suite === undefined) return { passed: 0, failed: 1 };
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('errors') + count('failures') + count('skipped');
  return withExitCode({ passed: count('tests') - failed, failed }, exitCode);
}
