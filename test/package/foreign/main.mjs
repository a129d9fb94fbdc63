import 'reflect-metadata';
import * as common from '@nestjs/common';
import * as nest from '@nestjs/core';
import * as nestTypeorm from '@nestjs/typeorm';
import * as typeorm from 'typeorm';
// By name, as an application would: each must be seen from an ES module.
import { Idempotent, IdempotencyModule, Tx, reply } from '@holdfast/nestjs';
import { migrations } from '@holdfast/nestjs/migrations';
import start from './notes.cjs';

const { ADAPTER } = process.env;
const platform = await import(`@nestjs/platform-${ADAPTER.toLowerCase()}`);

await start({
  common,
  nest,
  nestTypeorm,
  typeorm,
  adapter: new platform[`${ADAPTER}Adapter`](),
  core: { Idempotent, IdempotencyModule, Tx, reply },
  migrations: { migrations },
});
