import type { EventInbox, InboxEvent } from '#kv';

export function payloadsOf(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => Buffer.from(text));
}

export function textsOf(events: readonly InboxEvent[]): string[] {
  return events.map(({ payload }) => Buffer.from(payload).toString());
}

/** Everything that the inbox keeps, read page by page. @throws Error when two neighbours have no neighbouring positions */
export async function readAll(inbox: EventInbox): Promise<InboxEvent[]> {
  const events: InboxEvent[] = [];
  for (;;) {
    const page = await inbox.read({ after: events.at(-1)?.position ?? 0, limit: 500, maxBytes: 1_000_000 });
    if (page.length === 0) return events;
    for (const event of page) {
      const before = events.at(-1)?.position ?? 0;
      if (event.position !== before + 1) throw new Error(`position ${event.position} follows ${before}`);
      events.push(event);
    }
  }
}
