import { getMetadataStorage } from 'class-validator';

/** A shape's decorators have run once its module is loaded, and looking through them takes a while. */
const namesOf = new WeakMap<object, ReadonlySet<string>>();

/**
 * What the body has of the members that the shape documents, and the names of the others. Not class-transformer's
 * copy: it recurses as deep as anybody nests, and stumbles over a member `constructor`.
 */
export function documentedMembers(Shape: new () => object, body: object): { value: object; others: string[] } {
  const names = documentedNames(Shape);
  const value = new Shape() as Record<string, unknown>;
  const others: string[] = [];
  for (const [name, member] of Object.entries(body)) {
    if (names.has(name)) value[name] = member;
    else others.push(name);
  }
  return { value, others };
}

function documentedNames(Shape: new () => object): ReadonlySet<string> {
  const known = namesOf.get(Shape);
  if (known) return known;
  const documented = getMetadataStorage().getTargetValidationMetadatas(Shape, '', false, false);
  const names = new Set(documented.map(({ propertyName }) => propertyName));
  namesOf.set(Shape, names);
  return names;
}
