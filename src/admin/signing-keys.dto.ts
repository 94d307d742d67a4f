import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../config/index.js';
import type { RotationRequest, SigningKeyUse } from '../tokens/index.js';
import { isoTime } from './admin.dto.js';
import { MayBeLeftOut } from './users.dto.js';

/** Which keys are to be rotated, and how. */
export class KeyRotation {
  /** Every one of SIGNING_ALGS where this is left out. */
  @MayBeLeftOut()
  @IsIn(SIGNING_ALGORITHMS, { message: `$property must be one of ${SIGNING_ALGORITHMS.join(', ')}` })
  @ApiPropertyOptional({ enum: SIGNING_ALGORITHMS })
  algorithm?: SigningAlgorithm;

  /** Although those who verify tokens may not have seen the next key yet. */
  @MayBeLeftOut()
  @IsBoolean()
  @ApiPropertyOptional({ default: false })
  immediately?: boolean;

  /** Because keys may have got out: all are replaced at once, and what they signed is refused. */
  @MayBeLeftOut()
  @IsBoolean()
  @ApiPropertyOptional({ default: false })
  revoke_previous?: boolean;
}

/** A key that signs, will sign, or signed; nothing of its private half. */
export class SigningKeyAnswer {
  @ApiProperty({ example: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' })
  kid!: string;

  @ApiProperty({ example: 'ES256' })
  algorithm!: string;

  /** `current` signs, `next` is published and will sign, `retired` only verifies. */
  @ApiProperty({ enum: ['current', 'next', 'retired'] })
  status!: string;

  /** Since when it is published. */
  @ApiProperty({ example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;

  /** Since when it signs, or signed. */
  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  activated_at?: string;

  @ApiPropertyOptional({ example: '2026-04-01T00:00:00.000Z' })
  retired_at?: string;

  /** From when a next key may sign, when a current one is replaced by schedule, a retired one removed. */
  @ApiPropertyOptional({ example: '2026-04-01T00:00:00.000Z' })
  changes_at?: string;
}

export class SigningKeysAnswer {
  /** Those that sign first. */
  @ApiProperty({ type: () => [SigningKeyAnswer] })
  keys!: SigningKeyAnswer[];
}

export function toRotationRequest({ algorithm, immediately, revoke_previous }: KeyRotation): RotationRequest {
  return { algorithm, immediately, revokePrevious: revoke_previous };
}

export function toSigningKeyAnswer(key: SigningKeyUse): SigningKeyAnswer {
  const [activated, retired, changes] = [key.activatedAt, key.retiredAt, key.changesAt].map(isoTime);
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    status: key.status,
    created_at: new Date(key.createdAt).toISOString(),
    ...(activated !== undefined && { activated_at: activated }),
    ...(retired !== undefined && { retired_at: retired }),
    ...(changes !== undefined && { changes_at: changes }),
  };
}
