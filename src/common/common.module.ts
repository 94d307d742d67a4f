import { Global, Module } from '@nestjs/common';
import { Faces } from './http/face.js';
import { Randomness, SystemRandomness } from './random.js';

@Global()
@Module({
  providers: [Faces, { provide: Randomness, useClass: SystemRandomness }],
  exports: [Faces, Randomness],
})
export class CommonModule {}
