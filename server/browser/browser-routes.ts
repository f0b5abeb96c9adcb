import type { FastifyInstance, FastifyRequest } from 'fastify';
import { cypherFile, graphStyle, guideAsciidoc, guideHtml, SAVED_QUERIES } from '#graph-schema';
import { zipArchive } from './zip-archive.js';

/** Below this path stand the texts for Neo4j Browser. */
const BROWSER_PACK_PATH = '/browser';

/** Folder that the favourites come into. */
const FOLDER = 'Nucleus';

/** A guide is played once: it must be that of the server as it is now. */
const HEADERS = { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };

/** Neo4j Browser asks for a guide with headers of its own, which pages of other origins may send after this answer alone. */
const PREFLIGHT = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET',
  'access-control-allow-headers': '*',
};

/**
 * The guide, style and queries for Neo4j Browser, which comes from another origin: Neo4j's, or the desktop's. They are the same
 * for everybody, hold nothing of the graph and nothing secret, so they need no token, and any origin may read them.
 */
export function browserRoutes(app: FastifyInstance): void {
  const files: Readonly<Record<string, { type: string; content: (baseUrl: string) => string | Buffer }>> = {
    'guide.html': { type: 'text/html; charset=utf-8', content: guideHtml },
    'guide.adoc': { type: 'text/asciidoc; charset=utf-8', content: guideAsciidoc },
    'style.grass': { type: 'text/plain; charset=utf-8', content: graphStyle },
    'queries.cypher': {
      type: 'text/plain; charset=utf-8',
      content: () => SAVED_QUERIES.map(cypherFile).join('\n'),
    },
    'queries.zip': {
      type: 'application/zip',
      content: () =>
        zipArchive(new Map(SAVED_QUERIES.map((query) => [`${FOLDER}/${query.id}.cypher`, cypherFile(query)]))),
    },
    ...Object.fromEntries(
      SAVED_QUERIES.map((query) => [
        `queries/${query.id}.cypher`,
        { type: 'text/plain; charset=utf-8', content: () => cypherFile(query) },
      ]),
    ),
  };
  for (const [name, { type, content }] of Object.entries(files)) {
    const path = `${BROWSER_PACK_PATH}/${name}`;
    app.get(path, async (request, reply) =>
      reply
        .headers({ ...HEADERS, 'access-control-allow-origin': '*' })
        .type(type)
        .send(content(baseUrlOf(request))),
    );
    app.options(path, async (_, reply) => reply.headers(PREFLIGHT).code(204).send());
  }
}

/** Whether a page of any origin may ask for it. */
export function isForEveryOrigin(method: string, url: string): boolean {
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && url.startsWith(`${BROWSER_PACK_PATH}/`);
}

/** The address by which the caller has reached the pack, so that the guide names the other files by one that works. */
function baseUrlOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}${BROWSER_PACK_PATH}`;
}
