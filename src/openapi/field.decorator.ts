import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { HoldsNoCardNumber } from './card-number.rule.js';

/** What every field says of itself. */
interface Described {
  description: string;
  example?: unknown;
  default?: unknown;
  /** False where it may be absent. */
  required?: false;
  nullable?: true;
}

export interface TextField extends Described {
  type: 'string';
  format?: string;
  /** Lengths are counted in Unicode code points, as JSON Schema does. */
  minLength?: number;
  maxLength?: number;
  /** Read with the flag `u`, as JSON Schema does. */
  pattern?: string;
  /** What a client is told whose text doesn't match the pattern; it is not published. */
  refusal?: string;
  /** What this service or a header took before, and a query names again: not searched for card numbers; it is not published. */
  given?: true;
  enum?: readonly string[];
}

export interface IntegerField extends Described {
  type: 'integer';
  format?: 'int32' | 'int64';
  minimum?: number;
  maximum?: number;
}

export interface BooleanField extends Described {
  type: 'boolean';
}

/** Texts under names of the client's choice. */
export interface TextsField extends Described {
  type: 'object';
  additionalProperties: { type: 'string'; maxLength: number };
  propertyNames: { minLength: number; maxLength: number };
  maxProperties: number;
}

/** Some of the words that there are. */
export interface WordsField extends Described {
  type: 'array';
  items: { type: 'string'; enum: string[] };
  minItems: number;
  maxItems: number;
}

/** Objects of a class whose members are fields. */
export interface ListField extends Described {
  type: [Class];
  minItems?: number;
  maxItems?: number;
}

/** What a member or a parameter is, in the words of OpenAPI: all that is said of it, and all that is checked. */
export type Field = TextField | IntegerField | BooleanField | TextsField | WordsField | ListField;

/** A member of an answer: documented as the field says. */
export function AnswerField(field: Field): PropertyDecorator {
  const { refusal: _, given: __, required, ...schema }: Field & Pick<TextField, 'refusal' | 'given'> = field;
  return required === false ? ApiPropertyOptional(schema) : ApiProperty(schema);
}

/**
 * A member of a body or a query: documented as the field says, and refused (400 `invalid-request`) where it is something
 * else. What is published is what is checked, since the rules are read from the field as well. No text
 * may hold a card number, whatever else the field says; of those in which a client writes what it likes, that is published as well.
 */
export function RequestField(field: Field): PropertyDecorator {
  const description = isFree(field) ? `${field.description} Card numbers are refused.` : field.description;
  return applyDecorators(AnswerField({ ...field, description }), ...presenceOf(field), ...rulesOf(field));
}

/** Whether a client writes what it likes. */
function isFree(field: Field): boolean {
  return field.type === 'object' || (field.type === 'string' && !field.pattern && !field.enum && !field.given);
}

function presenceOf({ required, nullable }: Field): PropertyDecorator[] {
  if (required !== false && !nullable) return [];
  return [ValidateIf((_, value: unknown) => !(value === undefined && required === false) && !(value === null && nullable))];
}

/** In the order in which they are checked: the first one that fails is what the client is told. */
function rulesOf(field: Field): PropertyDecorator[] {
  if (field.type === 'string') return textRules(field);
  if (field.type === 'boolean') return [IsBoolean()];
  if (field.type === 'integer') return [IsInt(), ...given(field.minimum, Min), ...given(field.maximum, Max)];
  if (field.type === 'array') {
    return [IsArray(), ArrayMaxSize(field.maxItems), ArrayMinSize(field.minItems), IsIn(field.items.enum, { each: true })];
  }
  if (field.type === 'object') return [AsSent(), AreTexts(field), HoldsNoCardNumber()];
  return [
    IsArray(),
    ...given(field.maxItems, ArrayMaxSize),
    ...given(field.minItems, ArrayMinSize),
    IsObject({ each: true, message: 'must hold objects' }),
    Type(() => field.type[0]),
    ValidateNested({ each: true }),
  ];
}

function textRules({
  minLength = 0,
  maxLength = Infinity,
  pattern,
  refusal,
  enum: values,
  given: isGiven,
}: TextField): PropertyDecorator[] {
  if (values) return [IsIn(values)];
  return [
    IsString(),
    HasLength(minLength, maxLength),
    ...given(pattern, (text) => Matches(new RegExp(text, 'u'), refusal === undefined ? {} : { message: refusal })),
    ...(isGiven ? [] : [HoldsNoCardNumber()]),
  ];
}

function given<T>(limit: T | undefined, rule: (limit: T) => PropertyDecorator): PropertyDecorator[] {
  return limit === undefined ? [] : [rule(limit)];
}

/** class-validator's own rule doesn't count variation selectors, so it takes longer texts than the document allows. */
function HasLength(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'hasLength',
    validator: {
      validate: (text: unknown) => typeof text === 'string' && hasLength(text, min, max),
      defaultMessage: (failed) => (failed?.value === '' ? 'should not be empty' : `must be shorter than or equal to ${max} characters`),
    },
  });
}

/** Whether a text has so many characters, in Unicode code points: the one measure of texts, checked and published. */
export function hasLength(text: string, min: number, max: number): boolean {
  // A code point has at most two units: what is far too long is not counted.
  if (text.length > 2 * max) return false;
  const { length } = [...text];
  return min <= length && length <= max;
}

/** Takes an object as it was sent, whatever its names are: class-transformer leaves out members like `toString`. */
function AsSent(): PropertyDecorator {
  return Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]);
}

function AreTexts({ maxProperties, additionalProperties, propertyNames }: TextsField): PropertyDecorator {
  const { minLength, maxLength } = propertyNames;
  return ValidateBy({
    name: 'areTexts',
    // For those who count the values of the largest legal body.
    constraints: [maxProperties],
    validator: {
      validate: (value: unknown) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
        const entries = Object.entries(value);
        return (
          entries.length <= maxProperties &&
          entries.every(
            ([name, text]) =>
              hasLength(name, minLength, maxLength) && typeof text === 'string' && hasLength(text, 0, additionalProperties.maxLength),
          )
        );
      },
      defaultMessage: () =>
        `must be an object of at most ${maxProperties} texts of at most ${additionalProperties.maxLength} characters, ` +
        `with names of ${minLength} to ${maxLength}`,
    },
  });
}
