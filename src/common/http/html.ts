import { createHash } from 'node:crypto';

/** Markup that needs no more escaping. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = string | number | Html | undefined | false | readonly Html[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A template whose values are escaped unless they are `Html` themselves. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + render(parts[index - 1]) + string));
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--paper:#f5f6f8;--card:#fff;--line:#d9dee6;--accent:#2456c4;--muted:#5b6676}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--paper:#14181f;--card:#1d232d;--line:#333c4a;--accent:#8fb0ff;--muted:#9aa5b5}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:min(26rem,calc(100vw - 2rem));margin:2rem 0;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:12px}
h1{margin:0 0 .5rem;font-size:1.35rem;line-height:1.25}p{margin:.5rem 0}ul{margin:1rem 0;padding-left:1.25rem}.muted{color:var(--muted);font-size:.875rem}
.actions{display:grid;gap:.75rem;margin-top:1.5rem}
a.button,button{display:block;width:100%;padding:.7rem 1rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit;font:inherit;text-align:center;text-decoration:none;cursor:pointer}
button.primary,a.primary{background:var(--accent);border-color:var(--accent);color:var(--card)}a.button:hover,button:hover{border-color:var(--accent)}
label{display:grid;gap:.25rem;font-size:.875rem}input{padding:.65rem .75rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit;font:inherit;font-size:1rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}code{overflow-wrap:anywhere}
`;

/** Outside the template: the policy's digest covers every space between the tags. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** A whole page: no script, nothing from elsewhere. With `leadsTo` the browser goes on to that address by itself. */
export function page(title: string, content: Html, { leadsTo }: { leadsTo?: string } = {}): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${leadsTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${leadsTo}" />`}
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html> `.markup;
}

/**
 * The headers of a page a person signs in on. `formTargets` are origins that a form's answer may redirect to besides
 * our own: Chromium applies form-action to redirects. @see RFC 9700 sections 4.2 and 4.16
 */
export function pageHeaders(formTargets: readonly string[] = []): Record<string, string> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': `default-src 'none'; style-src ${STYLE_SOURCE}; form-action ${["'self'", ...formTargets].join(' ')}; frame-ancestors 'none'; base-uri 'none'`,
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
  };
}
