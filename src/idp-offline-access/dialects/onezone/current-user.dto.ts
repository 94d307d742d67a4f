import { ApiProperty } from '@nestjs/swagger';

/** User's linked account, expressing identity from an IdP. */
export class OnezoneLinkedAccount {
  /** @example mobypay */
  @ApiProperty()
  idp!: string;

  /** Unique user id assigned by the IdP. */
  @ApiProperty({ example: '1978f5775ae2dc16730418bf3fc81764' })
  subjectId!: string;

  @ApiProperty({ type: String, nullable: true, example: 'Ada Lovelace' })
  fullName!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'ada' })
  username!: string | null;

  /** @example ["ada@example.com"] */
  @ApiProperty({ type: [String] })
  emails!: string[];

  /** Group memberships, as the IdP names them. */
  @ApiProperty({ type: [String], example: [] })
  entitlements!: string[];

  /** Further data of the IdP; none is kept. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: {} })
  custom!: Record<string, unknown>;
}

/** Describes a user account. */
export class CurrentUser {
  /** @example 1b510f18-b3b0-4611-871c-0acdffa9aed4 */
  @ApiProperty()
  userId!: string;

  /** `Unnamed User` where there is none, or the client may not know it. */
  @ApiProperty({ example: 'Ada Lovelace' })
  fullName!: string;

  /** The user id where there is none, or the client may not know it. */
  @ApiProperty({ example: 'ada' })
  username!: string;

  /** @example ["ada@example.com"] */
  @ApiProperty({ type: [String] })
  emails!: string[];

  /** The accounts at IdPs whose tokens the caller may read. */
  @ApiProperty({ type: [OnezoneLinkedAccount] })
  linkedAccounts!: OnezoneLinkedAccount[];

  /** Whether the user may authenticate with user name and password. */
  @ApiProperty({ example: false })
  basicAuthEnabled!: boolean;

  /** @example false */
  @ApiProperty()
  blocked!: boolean;

  /** Timestamp in seconds (UNIX epoch). */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  creationTime!: number;
}
