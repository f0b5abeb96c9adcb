import type { FastifyInstance } from 'fastify';
import type { GraphiqlBundle } from './graphiql-bundle.js';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Nucleus GraphiQL</title>
    <link rel="stylesheet" href="/graphiql/graphiql.css" />
    <style>body { margin: 0 } #graphiql { height: 100vh }</style>
  </head>
  <body>
    <div id="graphiql">Loading…</div>
    <script src="/graphiql/graphiql.js"></script>
  </body>
</html>
`;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'";

/** The page itself holds no data, so it needs no token; what it queries does. */
export function graphiqlRoutes(app: FastifyInstance, bundle: GraphiqlBundle): void {
  app.get('/graphiql', async (_, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html').send(PAGE),
  );
  app.get('/graphiql/graphiql.js', async (_, reply) => reply.type('text/javascript').send(bundle.script));
  app.get('/graphiql/graphiql.css', async (_, reply) => reply.type('text/css').send(bundle.style));
}
