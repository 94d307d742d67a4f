import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../../../src/config/config-file.js';
import { sourceOf } from '../../../src/config/index.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

describe('the source of a declared entry', () => {
  it('is what stands in the file, without the defaults that a later release may add', () => {
    const path = join(temporaryDirectory(), 'config.yaml');
    writeFileSync(
      path,
      'clients: [{ client_id: app, client_secret: "${SECRET}", redirect_uris: [https://app.example/] }]',
    );
    const { clients } = readConfigFile(path, { SECRET: 'sixteen characters' });
    expect(clients).toMatchObject([{ consent: 'explicit' }]);
    expect(clients.map(sourceOf)).toEqual([
      {
        client_id: 'app',
        client_secret: 'sixteen characters',
        redirect_uris: ['https://app.example/'],
      },
    ]);
  });
});
