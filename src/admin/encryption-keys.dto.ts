import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { EncryptionKeyUse, RewrappingState } from '../encryption/index.js';
import { isoTime } from './admin.dto.js';

/** A key of ENCRYPTION_KEYS, or one that rows need; never its value. */
export class EncryptionKeyAnswer {
  @ApiProperty({ example: 'k2' })
  id!: string;

  /** Whether it encrypts what is written now. */
  @ApiProperty()
  current!: boolean;

  /** Whether the replica that answers has it. */
  @ApiProperty()
  configured!: boolean;

  /** Whether no row needs it, so that it may be taken out of ENCRYPTION_KEYS. */
  @ApiProperty()
  removable!: boolean;

  /** How many rows of which tables need it. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { linked_accounts: 42, signing_keys: 2 },
  })
  rows!: Record<string, number>;
}

/** How far all rows have come to the current key. */
export class RewrapAnswer {
  /** `idle`, `requested` or `running`. */
  @ApiProperty({ example: 'running' })
  state!: string;

  /** How many rows do not have the current key. */
  @ApiProperty({ type: 'integer', example: 17 })
  remaining!: number;

  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  started_at?: string;

  @ApiPropertyOptional({ example: '2026-01-01T00:00:00.000Z' })
  ended_at?: string;

  /** How it ended the last time: `done`, `failed`, or `stopped` with its replica, so that another one goes on. */
  @ApiPropertyOptional({ example: 'done' })
  outcome?: string;
}

export class EncryptionKeysAnswer {
  /** The configured ones first, in their order. */
  @ApiProperty({ type: () => [EncryptionKeyAnswer] })
  keys!: EncryptionKeyAnswer[];

  @ApiProperty()
  rewrap!: RewrapAnswer;
}

export function toEncryptionKeysAnswer(report: {
  keys: EncryptionKeyUse[];
  rewrapping: RewrappingState;
}): EncryptionKeysAnswer {
  const { running, remaining, startedAt, endedAt, outcome, nextRunAt } = report.rewrapping;
  const [started, ended] = [isoTime(startedAt), isoTime(endedAt)];
  return {
    keys: report.keys.map(({ id, current, configured, removable, rows }) => ({
      id,
      current,
      configured,
      removable,
      rows: { ...rows },
    })),
    rewrap: {
      state: running ? 'running' : nextRunAt === undefined ? 'idle' : 'requested',
      remaining,
      ...(started !== undefined && { started_at: started }),
      ...(ended !== undefined && { ended_at: ended }),
      ...(outcome !== undefined && { outcome }),
    },
  };
}
