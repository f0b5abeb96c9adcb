/**
 * The address that all routes are relative to; a path, as of a reverse proxy, is kept.
 *
 * @throws TypeError for an address that is none
 */
export function serverBase(text: string): URL {
  const url = parsedUrl(text);
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError('url must be the address of a Nucleus server, for instance http://127.0.0.1:4000');
  }
  if (url.username !== '' || url.password !== '') throw new TypeError('url must hold no credentials: give a token');
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
