/** Where a sign-in leads when nobody said. */
export const HOME = '/login';

/**
 * A path on this service, or the default: what comes after a sign-in is stored with it and must never become a
 * redirect to somewhere else. @see RFC 9700 section 4.11
 */
export function localPath(path: string | undefined): string {
  if (path === undefined || !/^\/[^/\\]/.test(path) || /[\p{C}\\]/u.test(path)) return HOME;
  const url = URL.parse(path, 'http://localhost');
  // Parsing removes dot segments: `/.//evil.example` has become `//evil.example`.
  return url?.origin === 'http://localhost' && !url.pathname.startsWith('//') ? url.pathname + url.search : HOME;
}
