const escapeHtml = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Headers of every page a person sees here. */
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
};

export function page(title, body) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit;display:block;width:100%;margin:.5rem 0;padding:.6rem;text-align:left}</style>
</head><body><h1>${escapeHtml(title)}</h1>
${body}
</body></html>`;
}

function chooserPage(details, users) {
  const button = (value, label) =>
    `<button type="submit" name="login" value="${escapeHtml(value)}">${escapeHtml(label)}</button>`;
  const people = [...users].map(([id, { name, email }]) => button(id, `${name ?? id} (${email ?? id})`));
  return page(
    'Demo identity provider',
    `<p>Sign in to <strong>${escapeHtml(String(details.params.client_id))}</strong> as:</p>
<form method="post" action="/interaction/${encodeURIComponent(details.uid)}">
${people.join('\n')}
${button('deny', 'Refuse')}
</form>`,
  );
}

/** Forgets who is signed in, so that another person can: the library's own way is a page that needs a script. */
async function forgetOtherAccount(provider, details, accountId) {
  if (details.session === undefined || details.session.accountId === accountId) return;
  const session = await provider.Session.findByUid(details.session.uid);
  if (session === undefined) return;
  session.accountId = undefined;
  session.authorizations = undefined;
  await session.persist();
}

async function finish(provider, request, response, details, login) {
  if (login === 'deny') {
    await provider.interactionFinished(
      request,
      response,
      { error: 'access_denied', error_description: 'the user refused' },
      { mergeWithLastSubmission: false },
    );
    return;
  }
  if (details.prompt.name === 'consent') {
    await provider.interactionFinished(request, response, { consent: {} });
    return;
  }
  const returnTo = await provider.interactionResult(request, response, { login: { accountId: login, amr: ['pwd'] } });
  await forgetOtherAccount(provider, details, login);
  response.writeHead(303, { location: returnTo }).end();
}

/**
 * The sign-in page. `login_hint` names who signs in and skips it (tests); otherwise a person presses a button. Only a
 * POST decides, so a prefetching browser does nothing. Every answer of a stale or foreign interaction is a plain 400.
 */
export async function answerInteraction(provider, users, request, response) {
  try {
    const details = await provider.interactionDetails(request, response);
    if (new URL(request.url, provider.issuer).pathname !== `/interaction/${details.uid}`) {
      throw new Error('the address and the cookie name different interactions');
    }
    const hint = details.params.login_hint;
    const chosen = request.method === 'POST' ? request.form.get('login') : undefined;
    if (details.prompt.name === 'consent') await finish(provider, request, response, details, 'consent');
    else if (typeof hint === 'string') await finish(provider, request, response, details, hint);
    else if (typeof chosen === 'string') await finish(provider, request, response, details, chosen);
    else response.writeHead(200, PAGE_HEADERS).end(chooserPage(details, users));
  } catch (error) {
    if (response.headersSent) throw error;
    response
      .writeHead(400, PAGE_HEADERS)
      .end(page('This sign-in has expired', `<p>${escapeHtml(error instanceof Error ? error.message : '')}</p>`));
  }
}
