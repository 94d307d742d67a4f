import type { EntityTarget, ObjectLiteral } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityProviderEntity } from '../../src/identity-providers/identity-provider.entity.js';
import { GrantEntity } from '../../src/tokens/grants/grant.entities.js';
import { ConsentEntity } from '../../src/authorization/authorization.entities.js';
import { UserEntity } from '../../src/users/user.entity.js';
import { databases } from '../support/databases.js';
import { fiftyTimes, openStorage, type Storage } from './support/storage.js';

const user = {
  id: 'user',
  username: 'alice',
  fullName: null,
  email: `a'"\\?$1;--`,
  emailVerified: true,
  emailVerifiedBy: null,
  passwordHash: null,
  basicAuthEnabled: false,
  blockedAt: null,
  createdAt: Date.UTC(2026, 0, 1),
  updatedAt: Date.UTC(2286, 10, 20),
};

const provider = {
  id: 'corp',
  type: 'oidc',
  displayName: 'Ünïcode 🔑',
  issuer: 'https://corp.example',
  clientId: 'us',
  clientSecret: null,
  tokenEndpointAuthMethod: 'none',
  scope: 'openid',
  offlineAccess: true,
  signUp: ['corp.example'],
  authorizationParameters: { prompt: 'consent' },
  version: '1',
  dataKey: null,
  encryptionKeyId: null,
  disabledAt: null,
  createdAt: 1,
  updatedAt: 2,
};

const grant = {
  id: 'grant',
  userId: 'user',
  clientId: 'app',
  scope: '',
  sessionId: null,
  authTime: Date.UTC(2026, 0, 1),
  claims: { name: 'Alice', groups: ['a', 'b'], nested: { deep: null } },
  createdAt: 1,
  revokedAt: 2,
  revokedReason: 'test',
};

describe.each(databases)('inserting once on $name', (kind) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage(kind);
  });
  afterAll(() => storage.close());

  it.each([
    ['booleans and nulls', UserEntity, user],
    ['JSON and unicode', IdentityProviderEntity, provider],
    ['JSON false, which is not a missing value', IdentityProviderEntity, { ...provider, id: 'other', signUp: false }],
    ['nested JSON, empty text and large instants', GrantEntity, grant],
  ])('writes %s as a plain insert would', async (_what, entity: EntityTarget<ObjectLiteral>, row) => {
    const { unitOfWork } = storage.first;
    expect(await unitOfWork.insertOnce(entity, row)).toBe(true);
    expect(await unitOfWork.manager.findBy(entity, { id: row.id })).toEqual([expect.objectContaining(row)]);
  });

  it('says no to a second one, changes nothing, and minds every unique key, not only the primary one', async () => {
    const { unitOfWork } = storage.first;
    expect(await unitOfWork.insertOnce(UserEntity, { ...user, fullName: 'Mallory' })).toBe(false);
    expect(await unitOfWork.insertOnce(UserEntity, { ...user, id: 'somebody else' })).toBe(false);
    expect(await unitOfWork.repository(UserEntity).find()).toEqual([expect.objectContaining({ fullName: null })]);
  });

  it('lets one of fifty callers in, also by a key of two columns', async () => {
    const row = { userId: 'user', clientId: 'app', scope: 'openid', grantedAt: 1 };
    const inserted = await fiftyTimes([storage.first, storage.second], ({ unitOfWork }) =>
      unitOfWork.insertOnce(ConsentEntity, row),
    );
    expect(inserted.filter(Boolean)).toHaveLength(1);
    const other = { ...row, clientId: 'other' };
    expect(await storage.first.unitOfWork.insertOnce(ConsentEntity, other)).toBe(true);
  });

  it('leaves the row of a transaction that is rolled back to the next caller', async () => {
    const { unitOfWork } = storage.first;
    const row = { userId: 'rolled back', clientId: 'app', scope: 'openid', grantedAt: 1 };
    const failing = unitOfWork.run(async () => {
      expect(await unitOfWork.insertOnce(ConsentEntity, row)).toBe(true);
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect(await storage.second.unitOfWork.insertOnce(ConsentEntity, row)).toBe(true);
  });
});
