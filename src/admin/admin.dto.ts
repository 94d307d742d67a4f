import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import type { Page, PageRequest } from '../common/page.js';
import { Secret } from '../common/secret.js';

/** Which part of a list is asked for. */
export class PageQuery implements PageRequest {
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 20;

  @IsInt()
  @Min(0)
  offset = 0;
}

export class Pagination {
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

export class ListMeta {
  pagination!: Pagination;
}

export interface ListAnswer<Item> {
  data: Item[];
  meta: ListMeta;
}

export function toList<From, To>(
  { items, total }: Page<From>,
  { limit, offset }: PageRequest,
  toItem: (item: From) => To,
): ListAnswer<To> {
  return { data: items.map(toItem), meta: { pagination: { limit, offset, total_count: total } } };
}

/** The same of a list that is read as a whole. */
export function pageOf<Item>(all: Item[], { limit, offset }: PageRequest): Page<Item> {
  return { items: all.slice(offset, offset + limit), total: all.length };
}

/** What is written and never read back; nothing where there is nothing. */
export function toSecret(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}

/** ISO 8601; nothing where there is nothing. */
export function isoTime(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** What is wrong with one parameter. */
export class ParameterProblem {
  /** @example email */
  @ApiProperty()
  parameter!: string;

  /** @example must be an email */
  @ApiProperty()
  detail!: string;
}

/** Problem details (RFC 9457). */
export class ProblemDetails {
  /** @example about:blank */
  @ApiProperty()
  type!: string;

  /** What the status means. */
  @ApiProperty({ example: 'Not Found' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 404 })
  status!: number;

  /** What went wrong, for a person. */
  @ApiProperty({ example: 'There is no such resource.' })
  detail!: string;

  /** The id under which the log knows the request. */
  @ApiProperty({ example: 'urn:symbolon:request:cbgmhslmp1o9or9kh1p0' })
  instance!: string;

  /** Each wrong parameter, where parameters are wrong. */
  @ApiProperty({ required: false, type: () => [ParameterProblem] })
  errors?: ParameterProblem[];
}
