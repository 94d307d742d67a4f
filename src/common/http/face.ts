import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { DomainError, ErrorCode } from '../domain-error.js';

export interface FaceRequest {
  readonly requestId: string;
  /** Without the issuer's path and without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface RenderedError {
  status: number;
  headers?: Record<string, string>;
  contentType?: string;
  /** An object is sent as JSON, a string as it is, nothing as an empty body. */
  body?: object | string;
}

/** How a face words one of our errors; a table of these has to cover every code. */
export type ErrorTable<Entry> = Record<ErrorCode, Entry>;

/**
 * One of the interfaces we serve, as the error filter and the request pipeline see it: which paths are its own, how
 * it says that something went wrong, and whether scripts of other origins may read it.
 */
export interface Face {
  readonly name: string;
  owns(path: string): boolean;
  render(error: DomainError, request: FaceRequest): RenderedError;
  /** What each of its answers carries, whatever it says. */
  headers?(request: FaceRequest): Record<string, string>;
  /** Answers with `Access-Control-Allow-Origin: *`, never with credentials. */
  readonly crossOrigin?: boolean | ((path: string) => boolean);
}

/** The faces, registered by the modules that serve them; the one without paths of its own takes the rest. */
@Injectable()
export class Faces {
  readonly #faces: Face[] = [];
  #fallback: Face | undefined;

  register(face: Face): void {
    this.#faces.push(face);
  }

  registerFallback(face: Face): void {
    this.#fallback = face;
  }

  find(path: string): Face {
    const face = this.#faces.find((candidate) => candidate.owns(path)) ?? this.#fallback;
    if (!face) throw new Error('no fallback face is registered');
    return face;
  }

  allowsAnyOrigin(path: string): boolean {
    const { crossOrigin } = this.find(path);
    // The router takes a slash at the end for nothing.
    return typeof crossOrigin === 'function' ? crossOrigin(path.replace(/\/$/, '')) : (crossOrigin ?? false);
  }
}

/** Whether a path is one of the prefixes or lies below it. */
export function below(...prefixes: string[]): (path: string) => boolean {
  return (path) => prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
