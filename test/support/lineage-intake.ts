import { type EventInbox, EventInboxError, openEventInbox } from '#kv';
import {
  DrainLoop,
  LineageDeadLetters,
  LineageDrainer,
  LineageEdits,
  LineageIntake,
  type LineageWriter,
  type OpenLineage,
} from '../../ingestion/openlineage-intake/index.js';
import { capturedLog } from './captured-log.js';
import { Clock } from './event-inbox-kinds.js';
import { scratchFolder } from './folder.js';
import { runEvent } from './openlineage-events.js';

/** A Run event of a job of that name, as bytes. */
export function eventOf(name: string): Buffer {
  return Buffer.from(JSON.stringify(runEvent({ job: { namespace: 'shop', name } })));
}

/** An LMDB inbox with everything around it; its parts can be had several times, as in several servers. */
export interface TestIntake extends AsyncDisposable, OpenLineage {
  readonly inbox: EventInbox;
  readonly clock: Clock;
  readonly path: string;
  /** Appends events of jobs of these names. */
  append(...names: string[]): Promise<{ first: number; last: number }>;
  /** One more drainer on the same inbox, not started, which ends with the others. */
  drainerFor(writer: LineageWriter): LineageDrainer;
  /** Lets every append through the intake find no room. */
  fillDisk(): void;
  makeRoom(): void;
  /** Everything that drainers have logged. */
  log(): string;
}

export async function openTestIntake(
  writer: LineageWriter,
  { events = 500, bytes = 8_388_608 }: { events?: number; bytes?: number } = {},
): Promise<TestIntake> {
  const folder = await scratchFolder();
  const clock = new Clock();
  const inbox = openEventInbox({ kind: 'lmdb', path: folder.path, now: clock.now });
  const { logger, lines } = capturedLog();
  const drainers: LineageDrainer[] = [];
  const drainerFor = (to: LineageWriter) => {
    const drain = new DrainLoop({ inbox, writer: to, batch: { events, bytes }, holder: 'test', logger });
    const drainer = new LineageDrainer({ inbox, graph: to, drain });
    drainers.push(drainer);
    return drainer;
  };
  let isFull = false;
  const append: EventInbox['append'] = async (payloads, options) => {
    if (isFull) throw new EventInboxError('disk-full', 'the disk of the event inbox is full');
    return inbox.append(payloads, options);
  };
  const admitting: EventInbox = Object.create(inbox, { id: { value: inbox.id }, append: { value: append } });
  const close = async () => {
    await Promise.all(drainers.map((drainer) => drainer.stop()));
    await inbox.close();
  };
  return {
    ...{ inbox, clock, path: folder.path, drainerFor, close },
    intake: new LineageIntake(admitting, clock.now),
    edits: new LineageEdits(admitting, clock.now),
    drainer: drainerFor(writer),
    deadLetters: new LineageDeadLetters(inbox),
    append: (...names) => inbox.append(names.map(eventOf), { receivedAt: clock.now() }),
    fillDisk: () => {
      isFull = true;
    },
    makeRoom: () => {
      isFull = false;
    },
    log: () => lines.join(''),
    [Symbol.asyncDispose]: async () => {
      await close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
