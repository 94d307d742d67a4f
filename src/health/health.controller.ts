import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Health, ReadinessReport } from './health.dto.js';
import { Readiness } from './readiness.js';

@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(@Inject(Readiness) private readonly readiness: Readiness) {}

  @Get('healthz')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Is the process alive', operationId: 'getHealth' })
  @ApiOkResponse({ description: 'It is', type: Health })
  health(): Health {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Should this replica get traffic', operationId: 'getReadiness' })
  @ApiOkResponse({ description: 'It should', type: ReadinessReport })
  @ApiServiceUnavailableResponse({ description: 'It should not', type: ReadinessReport })
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadinessReport> {
    const report = await this.readiness.report();
    response.status(report.ready ? 200 : 503).setHeader('Cache-Control', 'no-store');
    return report;
  }
}
