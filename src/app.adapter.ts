import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express } from 'express';

type ServerOptions = Parameters<ExpressAdapter['initHttpServer']>[0];

/** Since then V8 changes a prototype cheaply, and what is done here would cost a little instead. */
const CHEAP_SINCE_NODE = 22;

/**
 * Express gives every request and response another prototype, after which V8 no longer optimises what is done with them:
 * more than half of the time of a bare server. Here they are made with that prototype, so that Express changes nothing.
 */
export class HttpAdapter extends ExpressAdapter {
  override initHttpServer(options: ServerOptions): void {
    super.initHttpServer(options);
    const stock = Number.parseInt(process.versions.node, 10) >= CHEAP_SINCE_NODE;
    if (stock || options?.httpsOptions || options?.forceCloseConnections) return;
    const express = this.getInstance<Express>();
    class Request extends IncomingMessage {}
    class Response extends ServerResponse {}
    Object.setPrototypeOf(Request.prototype, express.request);
    Object.setPrototypeOf(Response.prototype, express.response);
    Object.assign(express, { request: Request.prototype, response: Response.prototype });
    this.setHttpServer(createServer({ IncomingMessage: Request, ServerResponse: Response }, express));
  }
}
