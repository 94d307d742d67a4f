import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** As much of OpenAPI 3.0 as our documents use. */
export interface Schema {
  $ref?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  enum?: unknown[];
  nullable?: boolean;
  pattern?: string;
  maxLength?: number;
  example?: unknown;
  description?: string;
  oneOf?: Schema[];
}

export interface DocumentedResponse {
  description: string;
  headers?: Record<string, { description: string; schema: Schema }>;
  content?: Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }>;
}

export interface DocumentedOperation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, DocumentedResponse>;
  security?: Record<string, string[]>[];
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { type: string }> };
}

/** A committed document. */
export function readDocument(name: 'symbolon' | 'pace' | 'onezone' | 'raidiam' | 'slashid' | 'admin'): OpenApiDocument {
  const path = fileURLToPath(new URL(`../../openapi/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as OpenApiDocument;
}

const KNOWN = new Set([
  '$ref',
  'type',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'enum',
  'nullable',
  'pattern',
  'maxLength',
  'example',
  'description',
  'oneOf',
]);

export function resolve(document: OpenApiDocument, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const found = document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`${schema.$ref} does not exist`);
  return found;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/**
 * What is wrong with a value, each problem with its place; nothing when it fits. Stricter than JSON Schema on purpose: a
 * property that the document does not name is a problem, and so is a keyword that is not checked here.
 */
export function problems(document: OpenApiDocument, given: Schema, value: unknown, at = 'body'): string[] {
  const schema = resolve(document, given);
  const unchecked = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword));
  if (unchecked.length > 0) return [`${at}: the keyword ${unchecked.join(', ')} is not checked by this test`];
  if (schema.oneOf !== undefined) {
    const found = schema.oneOf.map((alternative) => problems(document, alternative, value, at));
    return found.some((each) => each.length === 0) ? [] : found.flat();
  }
  if (value === null && schema.nullable === true) return [];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: none of the values it may have`];
  const type = typeOf(value);
  if (schema.type !== undefined && type !== schema.type && !(schema.type === 'number' && type === 'integer')) {
    return [`${at}: ${type} instead of ${schema.type}`];
  }
  if (typeof value === 'string') {
    const long = schema.maxLength !== undefined && value.length > schema.maxLength;
    const misfit = schema.pattern !== undefined && !new RegExp(schema.pattern).test(value);
    return [...(long ? [`${at}: too long`] : []), ...(misfit ? [`${at}: does not match ${schema.pattern}`] : [])];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => problems(document, schema.items ?? {}, item, `${at}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? []).filter((name) => !(name in value));
  return [
    ...missing.map((name) => `${at}.${name}: missing`),
    ...Object.entries(value).flatMap(([name, item]) => {
      const { additionalProperties: others } = schema;
      const known = schema.properties?.[name] ?? (typeof others === 'object' ? others : undefined);
      if (known !== undefined) return problems(document, known, item, `${at}.${name}`);
      // An object about which nothing at all is said may hold anything.
      const open = others === true || (schema.properties === undefined && others === undefined);
      return open ? [] : [`${at}.${name}: not documented`];
    }),
  ];
}

interface Answer {
  status: number;
  headers: Headers;
  text: () => string;
}

/** How an answer differs from what the document says about this operation. */
export function differences(document: OpenApiDocument, operation: DocumentedOperation, answer: Answer): string[] {
  const documented = operation.responses[String(answer.status)];
  if (documented === undefined) return [`${answer.status} is not documented`];
  const type = answer.headers.get('content-type')?.replace(/;.*/, '');
  const headers = Object.entries(documented.headers ?? {}).flatMap(([name, { schema }]) => {
    const value = answer.headers.get(name);
    return value === null ? [] : problems(document, schema, schema.type === 'integer' ? Number(value) : value, name);
  });
  if (documented.content === undefined) {
    return [...headers, ...(answer.text() === '' ? [] : ['a body, where none is documented'])];
  }
  const content = documented.content[type ?? ''];
  if (content === undefined) return [...headers, `${type} instead of ${Object.keys(documented.content).join(', ')}`];
  return [...headers, ...problems(document, content.schema, JSON.parse(answer.text()) as unknown)];
}
