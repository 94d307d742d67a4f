import { Controller, Header, HttpCode, Inject, Logger, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError } from '../common/domain-error.js';
import { checked, JsonBody, QueryOf } from '../common/http/checked-request.js';
import { requestContext } from '../common/request-context.js';
import { Readiness } from '../health/index.js';
import { AccountImport, type ImportOptions } from '../idp-offline-access/index.js';
import { AdministratorGuard } from '../tokens/index.js';
import { AdminOperation } from './admin.openapi.js';
import {
  IMPORT_FLAGS,
  ImportAnswer,
  ImportLineAnswer,
  ImportQuery,
  LinkedAccountImport,
  STATUSES,
  toFailure,
  toForeignAccount,
  toImportAnswer,
  toImportOptions,
  type ImportSummary,
} from './imports.dto.js';
import { answerLines, NDJSON, readLines, toLine, type Line } from './ndjson.js';

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_LINES = 10_000;
const MAX_LINE_BYTES = 65_536;
/** After so many results the import says how far it is. */
const PROGRESS_LINES = 100;

type Result = Omit<ImportLineAnswer, 'status'> & { status: (typeof STATUSES)[number] };

@Controller('admin/linked-accounts')
@UseGuards(AdministratorGuard)
export class ImportsController {
  readonly #logger = new Logger('Import');

  constructor(
    @Inject(AccountImport) private readonly accounts: AccountImport,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @AdminOperation({
    summary: 'Import a linked account',
    operationId: 'importLinkedAccount',
    description:
      'Tokens that the account has and that still work are left alone, so that importing the same again changes nothing.',
    flags: IMPORT_FLAGS,
    body: LinkedAccountImport,
    answer: ImportAnswer,
    problems: [404, 409],
  })
  async importOne(
    @QueryOf(ImportQuery) query: ImportQuery,
    @JsonBody(LinkedAccountImport) body: LinkedAccountImport,
  ): Promise<ImportAnswer> {
    return this.#import(body, toImportOptions(query));
  }

  @Post('import')
  @HttpCode(200)
  @AdminOperation({
    summary: 'Import linked accounts',
    operationId: 'importLinkedAccounts',
    description: `Each line is one account, at most ${MAX_LINE_BYTES} bytes long; at most ${MAX_LINES} lines and ${MAX_BYTES} bytes. Each has a line in the answer, in the same order, as soon as it is done; a wrong one fails alone. Lines in between say how far the import is, and the last one how it went; an answer that ends without it was cut off. Who hangs up ends the import after the present line.`,
    flags: IMPORT_FLAGS,
    body: LinkedAccountImport,
    bodyType: NDJSON,
    answer: ImportLineAnswer,
    answerType: NDJSON,
  })
  async importMany(
    @QueryOf(ImportQuery) query: ImportQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const lines = await readLines(request, { maxBytes: MAX_BYTES, maxLines: MAX_LINES });
    await answerLines(response, this.#answers(lines, toImportOptions(query)));
  }

  async #import(body: LinkedAccountImport, options: ImportOptions): Promise<ImportAnswer> {
    const account = toForeignAccount(body);
    return toImportAnswer(account, await this.accounts.import(account, options), requestId());
  }

  async *#answers(lines: readonly Line[], options: ImportOptions): AsyncGenerator<string> {
    const total = lines.length;
    const results = Object.fromEntries(STATUSES.map((status) => [status, 0])) as ImportSummary['results'];
    let done = 0;
    let away = false;
    try {
      yield toLine({ progress: { done, total } });
      for (const line of lines) {
        if (away || this.readiness.draining.aborted) break;
        const { result, stop } = await this.#importLine(line, options);
        away = stop;
        results[result.status] += 1;
        done += 1;
        const progress = done % PROGRESS_LINES === 0 ? toLine({ progress: { done, total } }) : '';
        yield toLine({ line: line.number, ...result }) + progress;
      }
      const summary: ImportSummary = { complete: done === total, total, done, results };
      yield toLine({ summary });
    } finally {
      this.#logger.log({ total, done, results }, 'an import has ended');
    }
  }

  /** Where the database is away, the lines that follow would fail like this one. */
  async #importLine(line: Line, options: ImportOptions): Promise<{ result: Result; stop: boolean }> {
    let named: Partial<LinkedAccountImport> = {};
    try {
      const body = checked(LinkedAccountImport, objectIn(line));
      named = body;
      return { result: await this.#import(body, options), stop: false };
    } catch (thrown) {
      const error = thrown instanceof DomainError ? thrown : new DomainError('server.error', { cause: thrown });
      const { code, cause, privateDetail: detail } = error;
      if (code.startsWith('server.')) {
        this.#logger.error({ line: line.number, code, detail, error: cause }, 'a line could not be imported');
      }
      const { user_id, identity_provider, subject } = named;
      const whose = {
        ...(user_id !== undefined && { user_id }),
        ...(subject !== undefined && { identity_provider, subject }),
      };
      return {
        result: { status: 'failed', ...whose, ...toFailure(error, requestId()) },
        stop: code === 'server.unavailable',
      };
    }
  }
}

/** @throws DomainError `request.too-large`, `request.malformed`; what the line holds is not repeated */
function objectIn({ bytes }: Line): object {
  if (bytes.length > MAX_LINE_BYTES) {
    throw new DomainError('request.too-large', { publicDetail: `The line is larger than ${MAX_LINE_BYTES} bytes.` });
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new DomainError('request.malformed', { publicDetail: 'The line is no JSON in UTF-8.' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DomainError('request.malformed', { publicDetail: 'The line must be a JSON object.' });
  }
  return value;
}

function requestId(): string {
  return requestContext.getStore()?.requestId ?? '';
}
