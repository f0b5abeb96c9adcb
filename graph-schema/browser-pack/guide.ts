import { type GuidePage, type GuideStep, guidePages } from './guide-pages.js';

const TITLE = 'Nucleus';

/**
 * The guide for Neo4j Browser 5: HTML of which it makes one slide per page, with texts that a click puts into the editor. A blank
 * and a word that begins with “on”, before an equals sign, is taken out by Browser wherever it stands.
 *
 * @param baseUrl where the pack is served, without a slash at the end
 */
export function guideHtml(baseUrl: string): string {
  const step = ({ title, text, run }: GuideStep) =>
    `<p>${title === undefined ? '' : `<strong>${escaped(title)}</strong><br>`}${escaped(text)}</p>
<figure><pre class="pre-scrollable code runnable">${escaped(run)}</pre></figure>`;
  const slide = ({ title, lead, steps }: GuidePage) =>
    `<slide class="row-fluid">
<div class="col-sm-3"><h3>${escaped(title)}</h3><p class="lead">${escaped(lead)}</p></div>
<div class="col-sm-9">
${steps.map(step).join('\n')}
</div>
</slide>`;
  return `<!doctype html>
<meta charset="utf-8">
<title>${TITLE}</title>
<article class="guide">
<carousel class="deck container-fluid">
${guidePages(baseUrl).map(slide).join('\n')}
</carousel>
</article>
`;
}

/**
 * The same guide for later versions of Neo4j Browser and for Neo4j Desktop, which read AsciiDoc.
 *
 * @param baseUrl where the pack is served, without a slash at the end
 */
export function guideAsciidoc(baseUrl: string): string {
  const step = ({ title, text, run }: GuideStep) =>
    `${title === undefined ? '' : `*${title}* +\n`}${text}\n\n[source,cypher]\n----\n${run}\n----`;
  const page = ({ title, lead, steps }: GuidePage) => [`== ${title}`, lead, ...steps.map(step)].join('\n\n');
  return `${[`= ${TITLE}`, ...guidePages(baseUrl).map(page)].join('\n\n')}\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
