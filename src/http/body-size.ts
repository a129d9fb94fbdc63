import type { Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';
import { HOLD_AT_MOST } from './hold-at-most.js';

/** Largest body in bytes. */
export const BODY_LIMIT = 1024 * 1024;
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
  const members = new Set(rulesOf(type).map(({ propertyName }) => propertyName));
  return [...members].reduce((sum, member) => sum + 1 + insideMember(type, member), 1);
}

function rulesOf(type: Type): Rule[] {
  return getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
}

/** What one member may hold beside itself: elements of an array, or texts of metadata. */
function insideMember(type: Type, member: string): number {
  const rules = rulesOf(type).filter(({ propertyName }) => propertyName === member);
  const bound = rules.find(({ name }) => name === 'arrayMaxSize' || name === 'areTexts')?.constraints as [number] | undefined;
  if (!bound) return 0;
  const isNested = rules.some((rule) => rule.type === 'nestedValidation');
  if (!isNested) return bound[0];
  const element = elementType(type, member);
  const together = rules.find(({ name }) => name === HOLD_AT_MOST)?.constraints as [number, string] | undefined;
  if (!together) return bound[0] * valuesOf(element);
  const [most, inner] = together;
  return bound[0] * (valuesOf(element) - insideMember(element, inner)) + most * valuesOf(elementType(element, inner));
}

/** The class that `@Type()` names; class-transformer tells it only by making one. */
function elementType(type: Type, member: string): Type {
  const made = plainToInstance(type, { [member]: [{}] }) as Record<string, [object]>;
  return (made[member] as [object])[0].constructor as Type;
}
