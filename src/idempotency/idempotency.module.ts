import { Global, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { Engine } from './engine.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { OPTIONS, withDefaults, type IdempotencyOptions } from './options.js';
import { guardConnections } from './transaction.js';

/**
 * The core as a Nest module. Import it once with `forRoot`, beside a TypeORM root module with PostgreSQL; every handler
 * marked `@Idempotent()` is then guarded by the interceptor that it registers.
 */
@Global()
@Module({})
export class IdempotencyModule implements OnModuleInit {
  constructor(private readonly dataSource: DataSource) {}

  static forRoot(options: IdempotencyOptions): DynamicModule {
    return {
      module: IdempotencyModule,
      providers: [
        { provide: OPTIONS, useValue: withDefaults(options) },
        Engine,
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
      ],
      exports: [Engine],
    };
  }

  onModuleInit(): void {
    guardConnections(this.dataSource);
  }
}
