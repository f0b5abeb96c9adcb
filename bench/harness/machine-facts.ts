import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { REPOSITORY_ROOT } from '#stack';
import type { BenchmarkResult } from './benchmark-result.js';

const GIB = 1024 ** 3;

export function machineFacts(serverVersions: Readonly<Record<string, string>>): BenchmarkResult['machine'] {
  const [first, ...others] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: first === undefined ? 0 : 1 + others.length,
    memoryGiB: Math.round((totalmem() / GIB) * 10) / 10,
    kernel: `${type()} ${release()}`,
    node: process.version,
    servers: { ...serverVersions },
  };
}

/** The commit that was measured; null when the checkout holds anything else, or is none. Result files themselves do not count. */
export function measuredCommit(): string | null {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: REPOSITORY_ROOT, encoding: 'utf8' });
  const commit = git('rev-parse', 'HEAD');
  const changes = git('status', '--porcelain', '--', '.', ':!bench/results', ':!docs/performance');
  return commit.status === 0 && changes.status === 0 && changes.stdout === '' ? commit.stdout.trim() : null;
}
