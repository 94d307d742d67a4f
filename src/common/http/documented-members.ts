import { getMetadataStorage } from 'class-validator';

/**
 * What the body has of the members that the shape documents, and the names of the others. Not class-transformer's
 * copy: it recurses as deep as anybody nests, and stumbles over a member `constructor`.
 */
export function documentedMembers(Shape: new () => object, body: object): { value: object; others: string[] } {
  const names = new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(Shape, '', false, false)
      .map(({ propertyName }) => propertyName),
  );
  const members = Object.entries(body);
  return {
    value: Object.assign(new Shape(), Object.fromEntries(members.filter(([name]) => names.has(name)))),
    others: members.map(([name]) => name).filter((name) => !names.has(name)),
  };
}
