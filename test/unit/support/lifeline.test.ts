import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { bindProcess } from '../../support/lifeline.mjs';

const LIFELINE = fileURLToPath(new URL('../../support/lifeline.mjs', import.meta.url));

/** A process with a directory and a child of its own, which prints where they are. */
const OWNER = `
import { spawn } from 'node:child_process';
const { bindProcess, temporaryDirectory } = await import(process.argv[1]);
const directory = temporaryDirectory();
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
bindProcess(child);
console.log(directory, child.pid);
process.stdin.on('data', () => process.exit(0)).on('end', () => process.exit(0));
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('what a test process leaves behind', () => {
  it.each([
    ['ends by itself', 'exit'],
    ['is killed', 'SIGKILL'],
    ['is terminated', 'SIGTERM'],
  ] as const)('is nothing when it %s', async (_how, way) => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER, LIFELINE], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    bindProcess(owner);
    const [line] = await once(createInterface(owner.stdout), 'line');
    const [directory = '', child = ''] = String(line).split(' ');
    const pid = Number(child);
    expect([existsSync(directory), isAlive(pid)]).toEqual([true, true]);
    if (way === 'exit') owner.stdin.write('end\n');
    else owner.kill(way);
    await once(owner, 'exit');
    await vi.waitFor(() => expect([existsSync(directory), isAlive(pid)]).toEqual([false, false]), { timeout: 15_000 });
  });
});
