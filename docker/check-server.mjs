/** Health check of the server's container: exit code 0 when the server and the stores behind it answer. */
const answer = await fetch('http://127.0.0.1:4000/readyz', { signal: AbortSignal.timeout(4_000) });
process.exit(answer.ok ? 0 : 1);
