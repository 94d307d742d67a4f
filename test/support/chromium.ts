import { type Browser, chromium } from 'playwright-core';
import { inject } from 'vitest';
import type { ChromiumBinary } from './chromium-binary.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    chromium: ChromiumBinary;
  }
}

/** Nothing but the pages under test: no updates, no sync, no QUIC. Containers have no user namespaces: no sandbox. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real browser (project `browser` only). Close it; `newContext()` is another person. */
export async function launchChromium(): Promise<Browser> {
  const { path, home, env } = inject('chromium');
  return chromium.launch({ executablePath: path, args: FLAGS, env, artifactsDir: home });
}
