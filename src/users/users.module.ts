import { Module } from '@nestjs/common';
import { DeclaredUsers } from './declared-users.js';
import { PasswordAuthentication } from './password-authentication.js';
import { UsersRepository } from './users.repository.js';

@Module({
  providers: [UsersRepository, PasswordAuthentication, DeclaredUsers],
  exports: [UsersRepository, PasswordAuthentication],
})
export class UsersModule {}
