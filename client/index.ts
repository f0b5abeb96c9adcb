/**
 * The TypeScript SDK of Nucleus. It knows the published API alone: GraphQL over HTTP and WebSocket, and the bulk route.
 *
 * @example
 * await using nucleus = new NucleusClient({ url: 'http://127.0.0.1:4000' });
 * const changes = nucleus.graphChanges({ filter: { kinds: ['Dataset'] } });
 * await changes.subscribed();
 * await nucleus.upsert({ entities: [{ kind: 'Dataset', key: { namespace: 's3://lake', name: 'orders' } }] });
 * for await (const change of changes) {
 *   console.log(change.items[0]?.urn, changes.cursor);
 *   break;
 * }
 */
export {
  BULK_FORMATS,
  type BulkBody,
  type BulkFormat,
  type BulkInput,
  type BulkItem,
  type BulkResult,
  type BulkRowError,
} from './bulk-upload.js';
export type { CallOptions, ReadOptions, WriteOptions } from './call-options.js';
export type * from './endpoint-types.js';
export type { Fetch, TokenSource } from './http-transport.js';
export type * from './lineage-types.js';
export {
  type LineageOptions,
  NucleusClient,
  type NucleusClientOptions,
  type RunLineageOptions,
} from './nucleus-client.js';
export {
  CursorExpiredError,
  NucleusError,
  type NucleusErrorCode,
  UnauthenticatedError,
  WriteRefusedError,
} from './nucleus-error.js';
export type { Page, PagedList } from './paged-list.js';
export type { ResumingStream, StreamOptions } from './resuming-stream.js';
export type { RetryPolicy } from './retry-policy.js';
export type * from './schema-types.js';
export type { WebSocketImplementation } from './subscription-socket.js';
