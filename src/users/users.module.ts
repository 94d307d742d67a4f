import { Module } from '@nestjs/common';
import { SessionsModule } from '../sessions/index.js';
import { ThrottlingModule } from '../throttling/index.js';
import { DeclaredUsers } from './declared-users.js';
import { PasswordAuthentication } from './password-authentication.js';
import { PasswordChanges } from './password-changes.js';
import { UserAccounts } from './user-accounts.js';
import { UserDeletion } from './user-deletion.js';
import { UsersRepository } from './users.repository.js';

@Module({
  imports: [SessionsModule, ThrottlingModule],
  providers: [UsersRepository, PasswordAuthentication, PasswordChanges, DeclaredUsers, UserAccounts, UserDeletion],
  exports: [UsersRepository, PasswordAuthentication, PasswordChanges, UserAccounts, UserDeletion],
})
export class UsersModule {}
