import { IsOptional, MaxLength } from 'class-validator';
import { expect, it } from 'vitest';
import { FormBody, formBody } from '../../../src/common/http/form.js';

class Shape {
  @IsOptional()
  @MaxLength(3, { message: '$property is too long' })
  client_id?: string;
}

it.each(['', 'constructor=a&', 'constructor=&', '__proto__=a&', 'prototype=a&toString=b&valueOf=c&then=d&'])(
  'checks what the endpoint documents, whatever else is sent: %s',
  (others) => {
    expect(formBody(new FormBody(`${others}client_id=abc`), Shape).get('client_id')).toBe('abc');
    expect(() => formBody(new FormBody(`${others}client_id=abcd`), Shape)).toThrow('is too long');
  },
);
