export interface HtmlForm {
  /** As written; resolve it against the page's address. Empty means the page itself. */
  action: string;
  method: string;
  /** Inputs, selected options and text areas; not the buttons. */
  fields: Record<string, string>;
  /** Named submit buttons: add the one that is pressed to the fields. */
  buttons: { name: string; value: string }[];
}

const NAMED_ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

export function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return NAMED_ENTITIES[name ?? ''] ?? whole;
    },
  );
}

function attributes(tag: string): Record<string, string> {
  const found: Record<string, string> = {};
  const inside = tag.replace(/^<[a-z0-9]+/i, '');
  for (const [, name = '', double, single, bare] of inside.matchAll(
    /([a-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi,
  )) {
    found[name.toLowerCase()] = decodeEntities(double ?? single ?? bare ?? '');
  }
  return found;
}

/** The address that a page goes on to by itself. */
export function refresh(html: string): string | undefined {
  const tags = [...html.matchAll(/<meta\b[^>]*>/gi)].map(([tag]) => attributes(tag));
  const content = tags.find((tag) => tag['http-equiv'] === 'refresh')?.['content'] ?? '';
  return /^\d+;\s*url=(.+)$/i.exec(content)?.[1];
}

function readForm(open: string, inner: string): HtmlForm {
  const { action = '', method = 'get' } = attributes(open);
  const found: HtmlForm = { action, method: method.toUpperCase(), fields: {}, buttons: [] };
  for (const [tag] of inner.matchAll(/<(?:input|button)\b[^>]*>/gi)) {
    const { name, value, type = tag.startsWith('<button') ? 'submit' : 'text', ...rest } = attributes(tag);
    if (name === undefined) continue;
    if (type === 'submit' || type === 'image') found.buttons.push({ name, value: value ?? '' });
    else if ((type === 'checkbox' || type === 'radio') && !('checked' in rest)) continue;
    else if (type !== 'button' && type !== 'reset') found.fields[name] = value ?? (type === 'checkbox' ? 'on' : '');
  }
  for (const [, open_ = '', text = ''] of inner.matchAll(/<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/gi)) {
    const { name } = attributes(open_);
    if (name !== undefined) found.fields[name] = decodeEntities(text);
  }
  for (const [, open_ = '', options = ''] of inner.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/gi)) {
    const { name } = attributes(open_);
    const tags = [...options.matchAll(/<option\b[^>]*>/gi)].map(([tag]) => attributes(tag));
    const chosen = tags.find((option) => 'selected' in option) ?? tags[0];
    if (name !== undefined && chosen !== undefined) found.fields[name] = chosen['value'] ?? '';
  }
  return found;
}

/** The forms of a page. Enough for the plain pages of this service and of the upstream provider, not a parser. */
export function forms(html: string): HtmlForm[] {
  return [...html.matchAll(/(<form\b[^>]*>)([\s\S]*?)<\/form>/gi)].map(([, open = '', inner = '']) =>
    readForm(open, inner),
  );
}

/** The only form, or the first that has this field or button name. */
export function form(html: string, having?: string): HtmlForm {
  const all = forms(html);
  const found =
    having === undefined
      ? all[0]
      : all.find(({ fields, buttons }) => having in fields || buttons.some(({ name }) => name === having));
  if (found === undefined) throw new Error(`no form${having === undefined ? '' : ` with "${having}"`} on the page`);
  return found;
}
