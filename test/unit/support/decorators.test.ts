import 'reflect-metadata';
import { expect, it } from 'vitest';

const Decorated = (): ClassDecorator & PropertyDecorator => () => undefined;

class Dependency {
  made = true;
}

@Decorated()
class Consumer {
  @Decorated()
  declaredOnly?: string;

  constructor(
    readonly dependency: Dependency,
    readonly count: number,
  ) {}
}

it('compiles tests like the service: legacy decorators with metadata, declared fields left out', () => {
  expect(Reflect.getMetadata('design:paramtypes', Consumer)).toEqual([Dependency, Number]);
  expect(Reflect.getMetadata('design:type', Consumer.prototype, 'declaredOnly')).toBe(String);
  expect(Object.keys(new Consumer(new Dependency(), 1))).toEqual(['dependency', 'count']);
});
