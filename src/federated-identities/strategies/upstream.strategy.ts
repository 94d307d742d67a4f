import type { Request } from 'express';
import passport, { type Strategy } from 'passport';

const PREPARED = Symbol('the strategy of this request');

type PreparedRequest = Request & { [PREPARED]?: Strategy };

/** Says which provider's strategy a request is for. */
export function prepare(request: Request, strategy: Strategy): void {
  (request as PreparedRequest)[PREPARED] = strategy;
}

/**
 * What is registered with Passport under one name: it hands each request to the strategy that was made for it. The
 * directory of providers changes at run time and Passport's registry is global to the process; a strategy that lives
 * as long as its request serves neither another provider nor another user.
 */
class UpstreamStrategy extends passport.Strategy {
  override name = UPSTREAM_STRATEGY;

  override authenticate(request: PreparedRequest, options?: unknown): void {
    const strategy = request[PREPARED];
    if (!strategy) throw new Error('the request was not prepared');
    // Passport put the outcomes (success, fail, redirect, pass, error) on this object for this request.
    Object.assign(strategy, this, {
      redirect: (url: string) => {
        // As every redirect of ours.
        request.res?.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
        this.redirect(url, 303);
      },
    });
    (strategy as { authenticate(request: Request, options?: unknown): void }).authenticate(request, options);
  }
}

export const UPSTREAM_STRATEGY = 'upstream';

passport.use(UPSTREAM_STRATEGY, new UpstreamStrategy());
