import type { Driver } from 'neo4j-driver';
import { FIND_EDGE_VERSIONS, FIND_VERSIONS } from '#graph-schema';
import { keyOf } from './checked-request.js';
import { NAME_LIMITS } from './knowledge-identity.js';
import type { Names } from './knowledge-validation.js';
import { inReadTransaction } from './neo4j-session.js';

/** Versions of what items name, as of now: 0 for what does not exist. */
export async function currentVersions(driver: Driver, names: readonly Names[]): Promise<(names: Names) => number> {
  const short = (text: string): boolean => text.length <= NAME_LIMITS.urnBytes;
  const rows = names.filter((item) => 'from' in item && short(item.from) && short(item.to) && short(item.kind));
  const urns = names.flatMap((item) => ('from' in item || item.urn === null || !short(item.urn) ? [] : [item.urn]));
  const versions = new Map<string | null, number>();
  if (urns.length + rows.length > 0) {
    await inReadTransaction(driver, async (tx) => {
      if (urns.length > 0) {
        const nodes = await tx.run<{ urn: string; version: number }>(FIND_VERSIONS, { urns });
        for (const row of nodes.records) versions.set(row.get('urn'), row.get('version'));
      }
      if (rows.length === 0) return;
      const edges = await tx.run<EdgeVersion>(FIND_EDGE_VERSIONS, { rows });
      for (const { kind, from, to, version } of edges.records.map((row) => row.toObject())) {
        versions.set(keyOf({ kind, from, to }), version);
      }
    });
  }
  return (item) => versions.get(keyOf(item)) ?? 0;
}

interface EdgeVersion {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly version: number;
}
