import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const setup = (name: string): string => `./test/support/setup/${name}.ts`;

interface ProjectOptions {
  maxWorkers?: number;
  testTimeout?: number;
  sequence?: { groupOrder: number };
  isolate?: boolean;
}

/** One project per kind of test, so that each can be run alone: `npx vitest run --project unit`. */
const project = (name: string, directories: string[], globalSetup: string[], options: ProjectOptions = {}) => ({
  extends: true as const,
  test: { name, include: directories.map((directory) => `test/${directory}/**/*.test.ts`), globalSetup, ...options },
});

/** Short files that take long. Vitest begins with the largest ones, and in the end all would wait for these. */
const LONG = /fault\/(random\/random|readers)\.test\.ts$/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- no array's
    const usual = await super.sort(files);
    const long = usual.filter(({ moduleId }) => LONG.test(moduleId));
    return [...long, ...usual.filter((file) => !long.includes(file))];
  }
}

export default defineConfig({
  // As tsconfig.json says for src. Its `include` leaves the tests out, and theirs would not be compiled the same way.
  oxc: {
    decorator: { legacy: true, emitDecoratorMetadata: true },
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  test: {
    environment: 'node',
    pool: 'forks',
    // A worker mostly waits for the service that it drives: more of them than cores keep the cores busy.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      // Each worker loads what is tested once, not for each file: half of the time of these was loading.
      project('unit', ['unit', 'architecture'], [], { isolate: false }),
      project('persistence', ['persistence'], [setup('dist'), setup('postgres')], { isolate: false }),
      project('contract', ['contract'], [setup('dist'), setup('postgres')]),
      project('interop', ['interop'], [setup('dist'), setup('postgres')]),
      project('e2e', ['e2e'], [setup('dist'), setup('postgres')]),
      project('browser', ['browser'], [setup('dist'), setup('chromium')]),
      // Its workers are heavier: fewer of them, and after all others.
      project('fault', ['fault'], [setup('dist')], {
        maxWorkers: 3,
        testTimeout: 120_000,
        sequence: { groupOrder: 1 },
      }),
    ],
  },
});
