import type { Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';

/** So many values are always looked at, so that a small mistake is named by the rule that it breaks. */
const LEAST = 100;
/** Values of a body that no class describes: of a route that takes none, for example. */
const UNDESCRIBED = 10_000;

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

const known = new WeakMap<Type, Map<string, number>>();

/**
 * How many values a body of this handler may have before anything is made of it: as many as its largest legal one, counted from
 * the rules of the class that its `@Body()` is checked against. Each object, array, text, number, true, false and null is one.
 */
export function largestBody(controller: Type, handler: string): number {
  const counted = known.get(controller) ?? new Map<string, number>();
  known.set(controller, counted);
  const values = counted.get(handler) ?? count(controller, handler);
  counted.set(handler, values);
  return values;
}

function count(controller: Type, handler: string): number {
  const type = bodyType(controller, handler);
  return type === undefined || type === Object ? UNDESCRIBED : Math.max(valuesOf(type), LEAST);
}

function bodyType(controller: Type, name: string): Type | undefined {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, { index: number }>;
  const body = Object.entries(parameters).find(([key]) => key.startsWith(`${RouteParamtypes.BODY}:`))?.[1];
  const types = (Reflect.getMetadata('design:paramtypes', controller.prototype as object, name) ?? []) as Type[];
  return body && types[body.index];
}

/** Of an object of this class: itself, and the most that its members may hold. */
function valuesOf(type: Type): number {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const members = new Set(rules.map(({ propertyName }) => propertyName));
  return [...members].reduce(
    (sum, member) =>
      sum +
      1 +
      inside(
        type,
        member,
        rules.filter(({ propertyName }) => propertyName === member),
      ),
    1,
  );
}

/** What one member may hold beside itself: elements of an array, or texts of metadata. */
function inside(type: Type, member: string, rules: Rule[]): number {
  const bound = rules.find(({ name }) => name === 'arrayMaxSize' || name === 'areTexts')?.constraints as [number] | undefined;
  if (!bound) return 0;
  const isNested = rules.some((rule) => rule.type === 'nestedValidation');
  return bound[0] * (isNested ? valuesOf(elementType(type, member)) : 1);
}

/** The class that `@Type()` names; class-transformer tells it only by making one. */
function elementType(type: Type, member: string): Type {
  const made = plainToInstance(type, { [member]: [{}] }) as Record<string, [object]>;
  return (made[member] as [object])[0].constructor as Type;
}
