import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { requestContext } from '../../common/request-context.js';
import { Secret } from '../../common/secret.js';
import { bearerToken } from '../access-tokens/caller.guard.js';
import { Administrators } from './administrators.js';

/** Lets administrators in and names them to the audit log. */
@Injectable()
export class AdministratorGuard implements CanActivate {
  constructor(@Inject(Administrators) private readonly administrators: Administrators) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const presented = presentedCredential(context.switchToHttp().getRequest<Request>());
    const { name } = await this.administrators.admit(presented);
    const current = requestContext.getStore();
    if (current) current.actor = name;
    return true;
  }
}

function presentedCredential(request: Request): Secret | undefined {
  const header = request.header('SlashID-API-Key')?.trim();
  return bearerToken(request) ?? (header ? new Secret(header) : undefined);
}
