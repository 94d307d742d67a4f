import { IsOptional, MaxLength } from 'class-validator';
import { expect, it } from 'vitest';
import { FormBody, formBody, queryParameters } from '../../../src/common/http/form.js';

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

it("takes a provider's words in another encoding for what can be read of them", () => {
  const query = queryParameters('/login/x/callback?state=s&error=access_denied&error_description=refus%E9');
  expect(Object.fromEntries(query)).toEqual({ state: 's', error: 'access_denied', error_description: 'refus\uFFFD' });
});
