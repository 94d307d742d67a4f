import { createInterface } from 'node:readline';
import { openDataSource } from '../../../dist/ormconfig.js';
import { AppliedDeclarationEntity } from '../../../dist/src/config/applied-declaration.entity.js';
import { migrate, UnitOfWork } from '../../../dist/src/database/index.js';

/**
 * A process of its own on a database, for what only processes can show. It says `ready`, waits for a line of standard
 * input, and then migrates (and says `migrated`) or writes until it is killed (and says the name of every pair of rows
 * that was committed).
 */
const [task, url = '', name = ''] = process.argv.slice(2);
const WRITERS = 3;

const dataSource = await openDataSource(url).initialize();
console.log('ready');
await new Promise((resolve) => createInterface(process.stdin).once('line', resolve));

if (task === 'migrate') {
  await migrate(dataSource);
  await dataSource.destroy();
  console.log('migrated');
  process.exit(0);
}

const unitOfWork = new UnitOfWork(dataSource);

async function write(writer) {
  for (let count = 0; ; count += 1) {
    const pair = `${name}.${writer}.${count}`;
    await unitOfWork.run(async () => {
      for (const half of ['left', 'right']) {
        await unitOfWork.repository(AppliedDeclarationEntity).insert({
          id: `${pair}.${half}`,
          kind: half,
          name: pair,
          digest: '',
          appliedAt: 0,
          removedAt: null,
        });
      }
    });
    console.log(pair);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
