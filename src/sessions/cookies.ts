import { createHash, createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import { equalInConstantTime, Randomness } from '../common/random.js';
import { Secret } from '../common/secret.js';
import { Configuration } from '../config/index.js';

type CookieKind = 'session' | 'browser';

/** 256 bits, base64url; anything else in our cookies was not set by us. */
const VALUE = /^[A-Za-z0-9_-]{43}$/;
const BROWSER_MAX_AGE_SECONDS = 86_400;

/**
 * Our two cookies: `session` says who is signed in, `browser` binds what a browser starts (a login, an authorization
 * request) to itself, so that it can be finished nowhere else. On https both carry the `__Host-` prefix; the name
 * ends in a digest of the issuer's path, so that two services of one host keep apart. @see RFC 6265bis section 4.1.3.2
 */
@Injectable()
export class Cookies {
  constructor(
    @Inject(Configuration) private readonly configuration: Configuration,
    @Inject(Randomness) private readonly randomness: Randomness,
  ) {}

  read(request: Request, kind: CookieKind): Secret | undefined {
    const value = parse(request.headers.cookie ?? '')[this.#name(kind)];
    return value !== undefined && VALUE.test(value) ? new Secret(value) : undefined;
  }

  write(response: Response, kind: CookieKind, value: Secret, maxAgeSeconds: number): void {
    this.#set(response, kind, value.reveal(), maxAgeSeconds);
  }

  /** This browser's binding, made when it has none; parallel tabs share it. */
  browser(request: Request, response: Response): Secret {
    const present = this.read(request, 'browser');
    const value = present ?? new Secret(this.randomness.token());
    this.write(response, 'browser', value, BROWSER_MAX_AGE_SECONDS);
    return value;
  }

  /** The value that a form for `purpose` must carry; it can be computed only with the cookie. */
  csrfToken(cookie: Secret, purpose: string): string {
    return createHmac('sha256', cookie.reveal()).update(`csrf:${purpose}`).digest('base64url');
  }

  isCsrfToken(presented: unknown, cookie: Secret, purpose: string): boolean {
    return typeof presented === 'string' && equalInConstantTime(presented, this.csrfToken(cookie, purpose));
  }

  #set(response: Response, kind: CookieKind, value: string, maxAge: number): void {
    response.append(
      'Set-Cookie',
      serialize(this.#name(kind), value, {
        path: '/',
        httpOnly: true,
        secure: this.configuration.secureCookies,
        sameSite: 'lax',
        maxAge,
      }),
    );
  }

  #name(kind: CookieKind): string {
    const path = createHash('sha256').update(this.configuration.issuerPath).digest('hex').slice(0, 8);
    return `${this.configuration.secureCookies ? '__Host-' : ''}symbolon-${kind}-${path}`;
  }
}
