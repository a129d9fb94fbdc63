import 'reflect-metadata';
import {
  Body,
  Controller,
  Headers,
  Module,
  Post,
  type DynamicModule,
  type NestApplicationOptions,
  type Provider,
  type Type,
} from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryGeneratedColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { migrations } from '../../packaging/core/migrations.js';
import { Idempotent, IdempotencyModule, Tx, type IdempotencyOptions, type Transaction } from '../../src/idempotency/index.js';
import { closeApp } from '../../src/http/lifecycle.js';
import { send, type TestApp } from './app.js';
import type { TestDatabase } from './database.js';

/** A table that the core has never heard of. */
@Entity('notes')
export class Note {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @Column('uuid', { name: 'tenant_id' })
  tenantId: string;

  @Column('text')
  text: string;
}

class Notes1800000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL, text text NOT NULL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE notes');
  }
}

@Controller('notes')
class NotesController {
  @Post()
  @Idempotent()
  async create(@Tx() tx: Transaction, @Headers('x-tenant') tenantId: string, @Body() { text }: { text: string }): Promise<Note> {
    const manager = await tx.manager();
    return manager.save(Note, { tenantId, text });
  }
}

/** Another application that has taken over src/idempotency with its migrations, and nothing else. */
@Module({})
class NotesModule {
  static with(
    url: string,
    { controllers = [], poolSize = 10, connectionTimeoutMs = 2_000, pipeline = true, core }: LiftedOptions,
  ): DynamicModule {
    return {
      module: NotesModule,
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url,
          poolSize,
          entities: [Note],
          migrations: [...migrations, Notes1800000000001],
          migrationsRun: true,
          extra: { pipeline, connectionTimeoutMillis: connectionTimeoutMs },
        }),
        TypeOrmModule.forFeature([Note]),
        IdempotencyModule.forRoot({
          accountOf: (request) => (request as { headers: Record<string, string> }).headers['x-tenant'] ?? '',
          guardConnections: true,
          join: false,
          ...core,
        }),
      ],
      controllers: [NotesController, ...controllers],
    };
  }
}

export const TENANT = '018bcfe5-6800-7000-8000-0000000000ff';

/** What a test changes in the example. */
export interface LiftedOptions {
  controllers?: Type[];
  /** Its steps, for example. */
  providers?: Provider[];
  poolSize?: number;
  /** How long a request waits for a connection or its turn, in milliseconds. */
  connectionTimeoutMs?: number;
  /** false: node-postgres as it is by default, one statement after the other. */
  pipeline?: boolean;
  /** More options of the core. */
  core?: Partial<IdempotencyOptions>;
  /** The core's module, in the place of its own. */
  idempotency?: DynamicModule;
  /** Express's, in the place of Fastify's. */
  adapter?: AbstractHttpAdapter;
  /** More options of Nest's. */
  application?: NestApplicationOptions;
  /** What is done with the application before it listens. */
  configure?: (app: TestApp['app']) => void;
}

/** Starts the other application, on an empty database the first time; `send` speaks for one tenant of it. */
export async function startLiftedApp(database: Pick<TestDatabase, 'url'>, options: LiftedOptions = {}): Promise<TestApp> {
  const notes = NotesModule.with(database.url, options);
  const { idempotency } = options;
  const imports = notes.imports?.map((one) => (idempotency && 'module' in one && one.module === IdempotencyModule ? idempotency : one));
  const module = { ...notes, imports: imports ?? [], providers: options.providers ?? [] };
  const app = await NestFactory.create(module, options.adapter ?? new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
    ...options.application,
  });
  options.configure?.(app as TestApp['app']);
  await app.listen(0, '127.0.0.1').catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  const url = await app.getUrl();
  return {
    app: app as TestApp['app'],
    url,
    send: (method, path, request = {}) => send(url, method, path, { ...request, headers: { 'x-tenant': TENANT, ...request.headers } }),
    close: () => (options.adapter ? app.close() : closeApp(app as TestApp['app'])),
  };
}
