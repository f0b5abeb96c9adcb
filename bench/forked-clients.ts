import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts a program of clients, and waits until it says `ready`. */
export async function forkClients(program: URL, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(program), args, { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  await nextMessage(child);
  return child;
}

/** @throws Error when the clients end instead, for instance because a subscription of theirs has ended */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(([code, killedBy]) => {
    throw new Error(`the clients have ended: ${code ?? killedBy}`);
  });
  // Whichever is not waited for any more.
  ended.catch(() => undefined);
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message;
  } finally {
    settled.abort();
  }
}

export async function endClients(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
