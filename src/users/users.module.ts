import { Module } from '@nestjs/common';
import { SessionsModule } from '../sessions/index.js';
import { ThrottlingModule } from '../throttling/index.js';
import { DeclaredUsers } from './declared-users.js';
import { PasswordAuthentication } from './password-authentication.js';
import { UserDeletion } from './user-deletion.js';
import { UsersRepository } from './users.repository.js';

@Module({
  imports: [SessionsModule, ThrottlingModule],
  providers: [UsersRepository, PasswordAuthentication, DeclaredUsers, UserDeletion],
  exports: [UsersRepository, PasswordAuthentication, UserDeletion],
})
export class UsersModule {}
