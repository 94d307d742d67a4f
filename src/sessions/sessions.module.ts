import { Module } from '@nestjs/common';
import { Cookies } from './cookies.js';
import { PostedParameters } from './posted-parameters.js';
import { Sessions } from './sessions.js';

@Module({
  providers: [Cookies, PostedParameters, Sessions],
  exports: [Cookies, PostedParameters, Sessions],
})
export class SessionsModule {}
