const REQUEST_SECRETS = ['code', 'code_verifier', 'refresh_token', 'client_secret', 'token', 'client_assertion'];
const ANSWER_SECRETS = ['access_token', 'refresh_token', 'id_token'];

function decodeFormComponent(text) {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** Everything secret that passed through the provider, so that a test can search logs and dumps for it. */
export function createSecretRecorder() {
  const secrets = new Set();
  const add = (value) => {
    if (typeof value === 'string' && value !== '') secrets.add(value);
  };

  return {
    secrets,
    add,

    request(request) {
      for (const name of REQUEST_SECRETS) add(request.form.get(name));
      const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (basic === undefined) return;
      const decoded = Buffer.from(basic, 'base64').toString('utf8');
      add(decodeFormComponent(decoded.slice(decoded.indexOf(':') + 1)));
    },

    answer(body) {
      if (body === null || typeof body !== 'object') return;
      for (const name of ANSWER_SECRETS) add(body[name]);
    },

    redirect(location) {
      if (location === '') return;
      try {
        add(new URL(location, 'http://relative.invalid').searchParams.get('code'));
      } catch {
        // Not a URL: nothing secret that we could name.
      }
    },
  };
}
