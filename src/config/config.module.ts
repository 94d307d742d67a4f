import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AppliedDeclarations } from './applied-declarations.js';
import { Configuration } from './configuration.js';

@Global()
@Module({})
export class ConfigModule {
  static with(configuration: Configuration): DynamicModule {
    return {
      module: ConfigModule,
      providers: [{ provide: Configuration, useValue: configuration }, AppliedDeclarations],
      exports: [Configuration, AppliedDeclarations],
    };
  }
}
