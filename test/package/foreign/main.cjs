'use strict';
require('reflect-metadata');
const { ADAPTER } = process.env;

void require('./notes.cjs')({
  common: require('@nestjs/common'),
  nest: require('@nestjs/core'),
  nestTypeorm: require('@nestjs/typeorm'),
  typeorm: require('typeorm'),
  adapter: new (require(`@nestjs/platform-${ADAPTER.toLowerCase()}`)[`${ADAPTER}Adapter`])(),
  core: require('@holdfast/nestjs'),
  migrations: require('@holdfast/nestjs/migrations'),
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
