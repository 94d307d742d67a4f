import { Controller, Get, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { OptionalJsonBody } from '../common/http/checked-request.js';
import { AdministratorGuard, SigningKeyRotation } from '../tokens/index.js';
import { AdminOperation } from './admin.openapi.js';
import { KeyRotation, SigningKeysAnswer, toRotationRequest, toSigningKeyAnswer } from './signing-keys.dto.js';

const NO_STORE = ['Cache-Control', 'no-store'] as const;

@Controller('admin/signing-keys')
@UseGuards(AdministratorGuard)
export class SigningKeysController {
  constructor(@Inject(SigningKeyRotation) private readonly rotation: SigningKeyRotation) {}

  @Get()
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'List the signing keys',
    operationId: 'listSigningKeys',
    description: 'Those that sign, those that will, and those that still verify what they signed.',
    answer: SigningKeysAnswer,
  })
  async list(): Promise<SigningKeysAnswer> {
    return { keys: (await this.rotation.list()).map(toSigningKeyAnswer) };
  }

  @Post('rotate')
  @HttpCode(200)
  @Header(...NO_STORE)
  @AdminOperation({
    summary: 'Have the next keys sign',
    operationId: 'rotateSigningKeys',
    description:
      'Of all algorithms, or of one. The first next key can sign at any time, each later one once it has been published for an hour, so that everybody who verifies tokens knows it; until then 409, unless `immediately` is true. `revoke_previous` is for keys that may have got out: all that there are, the next ones too, are removed and replaced, and within a second no replica accepts what they signed.',
    body: KeyRotation,
    bodyOptional: true,
    answer: SigningKeysAnswer,
    problems: [409],
  })
  async rotate(@OptionalJsonBody(KeyRotation) body: KeyRotation): Promise<SigningKeysAnswer> {
    await this.rotation.rotate(toRotationRequest(body));
    return this.list();
  }
}
