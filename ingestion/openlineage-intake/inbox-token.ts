/** A place in an inbox. It names the inbox, because positions of two inboxes say nothing about each other. */
interface InboxPlace {
  readonly inboxId: string;
  readonly position: number;
}

const PATTERN = /^i1-(\d{1,16})-([\w-]{1,64})$/;

/** A place as clients see it: opaque, and versioned so that its form can change. */
export function encodeInboxToken({ inboxId, position }: InboxPlace): string {
  return Buffer.from(`i1-${position}-${inboxId}`).toString('base64url');
}

/** @returns undefined when the text is no token of an inbox */
export function decodeInboxToken(token: string): InboxPlace | undefined {
  const [, position, inboxId] = PATTERN.exec(Buffer.from(token, 'base64url').toString('utf8')) ?? [];
  if (inboxId === undefined || !Number.isSafeInteger(Number(position))) return undefined;
  return { inboxId, position: Number(position) };
}
