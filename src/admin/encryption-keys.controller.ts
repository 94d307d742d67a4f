import { Controller, Get, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { Rewrapping } from '../encryption/index.js';
import { AdministratorGuard } from '../tokens/index.js';
import { AdminOperation } from './admin.openapi.js';
import { EncryptionKeysAnswer, toEncryptionKeysAnswer } from './encryption-keys.dto.js';

const NO_STORE = ['Cache-Control', 'no-store'] as const;

@Controller('admin/encryption-keys')
@UseGuards(AdministratorGuard)
export class EncryptionKeysController {
  constructor(@Inject(Rewrapping) private readonly rewrapping: Rewrapping) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List the encryption keys',
    operationId: 'listEncryptionKeys',
    description: 'Which rows need which key, and which keys may be removed.',
    answer: EncryptionKeysAnswer,
  })
  async list(): Promise<EncryptionKeysAnswer> {
    return toEncryptionKeysAnswer(await this.rewrapping.report());
  }

  @Post('rewrap')
  @HttpCode(202)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Move all rows to the current encryption key',
    operationId: 'rewrapEncryptionKeys',
    description:
      'One replica begins soon, while traffic runs; another goes on if it dies. Only once every replica has the new key first.',
    status: 202,
    answer: EncryptionKeysAnswer,
  })
  async rewrap(): Promise<EncryptionKeysAnswer> {
    await this.rewrapping.request();
    return this.list();
  }
}
