import { Module } from '@nestjs/common';
import { Cookies } from './cookies.js';
import { Sessions } from './sessions.js';

@Module({ providers: [Cookies, Sessions], exports: [Cookies, Sessions] })
export class SessionsModule {}
