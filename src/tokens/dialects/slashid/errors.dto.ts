import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class SlashidPagination {
  /** How many were asked for. */
  @ApiProperty({ type: 'integer', example: 20 })
  limit!: number;

  /** How many were passed over. */
  @ApiProperty({ type: 'integer', example: 0 })
  offset!: number;

  /** How many there are. */
  @ApiProperty({ type: 'integer', example: 1 })
  total_count!: number;
}

export class SlashidMeta {
  @ApiPropertyOptional({ type: () => SlashidPagination })
  pagination?: SlashidPagination;
}

export class SlashidError {
  /** The status of the answer. */
  @ApiProperty({ type: 'integer', example: 400 })
  httpcode!: number;

  /** What is wrong, for a person. */
  @ApiProperty({ example: 'client_name must be a string' })
  message!: string;
}

/** What every refusal of SlashID's face says, save a 401. */
export class SlashidErrors {
  @ApiPropertyOptional({ type: () => SlashidMeta })
  meta?: SlashidMeta;

  @ApiProperty({ type: () => [SlashidError] })
  errors!: SlashidError[];
}
