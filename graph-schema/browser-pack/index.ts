/**
 * What makes Neo4j Browser a window on this graph: a guide, queries to keep and a style. Texts alone; the server serves them.
 *
 * @example
 * guideHtml('http://127.0.0.1:4000/browser'); // what `:play http://127.0.0.1:4000/browser/guide.html` shows
 */
export { graphStyle, LABEL_STYLES } from './graph-style.js';
export { guideAsciidoc, guideHtml } from './guide.js';
export { cypherFile, SAVED_QUERIES } from './saved-queries.js';
export type { SavedQuery } from './saved-query.js';
