import type { TestProject } from 'vitest/node';
import { unpackChromium } from '../chromium-binary.mjs';
import { removeTemporaryDirectory } from '../temporary-directory.js';
import '../chromium.js';

/** Vitest global setup: unpacks the browser once, not once per test file. */
export default async function setup(project: TestProject): Promise<() => void> {
  const binary = await unpackChromium();
  project.provide('chromium', binary);
  return () => removeTemporaryDirectory(binary.home);
}
