'use strict';

/**
 * Another application, in plain JavaScript: decorators applied by hand, and whichever Nest, platform, TypeORM and module system
 * its project has. `core` and `migrations` are the package's two entry points.
 */
module.exports = async function start({ common, nest, nestTypeorm, typeorm, adapter, core, migrations }) {
  const { Body, Catch, Controller, Headers, HttpException, Module, Post } = common;
  const { Idempotent, IdempotencyModule, Tx, reply } = core;

  class CreateNotes1800000000001 {
    async up(runner) {
      await runner.query('CREATE TABLE notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL, text text NOT NULL)');
    }

    async down(runner) {
      await runner.query('DROP TABLE notes');
    }
  }

  const Note = new typeorm.EntitySchema({
    name: 'Note',
    tableName: 'notes',
    columns: {
      id: { type: 'uuid', primary: true, generated: 'uuid' },
      tenantId: { type: 'uuid', name: 'tenant_id' },
      text: { type: 'text' },
    },
  });
  const INSERT = { name: 'notes-insert', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2) RETURNING id, text' };
  const save = async (tx, tenantId, text) => (await tx.manager()).save(Note, { tenantId, text });

  class NotesController {
    constructor(dataSource) {
      this.dataSource = dataSource;
    }

    /** By a repository, as the application has always written: it joins. */
    async joined(tenantId, { text }) {
      return this.dataSource.getRepository(Note).save({ tenantId, text });
    }

    /** Not idempotent, and careless: gives its connection back with a transaction open. */
    async leaves(tenantId, { text }) {
      const runner = this.dataSource.createQueryRunner();
      await runner.query('BEGIN');
      await runner.query('INSERT INTO notes (tenant_id, text) VALUES ($1, $2)', [tenantId, text]);
      await runner.release();
      return {};
    }

    /** By TypeORM's manager. */
    async create(tx, tenantId, { text }) {
      return save(tx, tenantId, text);
    }

    /** By SQL with the core's own verbs. */
    async plain(tx, tenantId, { text }) {
      const [note] = await tx.run(INSERT, [tenantId, text]);
      return note;
    }

    /** Stands still behind its write, as long as a test holds the lock. */
    async slow(tx, tenantId, { text }) {
      const note = await save(tx, tenantId, text);
      await (await tx.manager()).query('SELECT pg_advisory_xact_lock(7)');
      return note;
    }

    /** A refusal that undoes what was written. */
    async throws(tx, tenantId, { text }) {
      await save(tx, tenantId, text);
      throw new HttpException({ refused: text }, 409);
    }

    /** A refusal that keeps it. */
    async returns(tx, tenantId, { text }) {
      await save(tx, tenantId, text);
      return reply(402, { refused: text });
    }

    /** An error of the database that decides nothing. */
    async fails(tx, tenantId, { text }) {
      await save(tx, tenantId, text);
      await (await tx.manager()).query('SELECT 1 / 0');
    }
  }
  Controller('notes')(NotesController);
  nestTypeorm.InjectDataSource()(NotesController, undefined, 0);
  for (const name of ['joined', 'leaves']) {
    Headers('x-tenant')(NotesController.prototype, name, 0);
    Body()(NotesController.prototype, name, 1);
    decorate(NotesController, name, name === 'joined' ? [Post(name), Idempotent()] : [Post(name)]);
  }
  for (const name of ['create', 'plain', 'slow', 'throws', 'returns', 'fails']) {
    Tx()(NotesController.prototype, name, 0);
    Headers('x-tenant')(NotesController.prototype, name, 1);
    Body()(NotesController.prototype, name, 2);
    decorate(NotesController, name, [Post(name), Idempotent()]);
  }

  /** As an application answers errors. */
  class Errors {
    catch(error, host) {
      host.switchToHttp().getResponse().status(error.getStatus()).header('x-by', 'the application').send(error.getResponse());
    }
  }
  Catch(HttpException)(Errors);

  class AppModule {}
  Module({
    imports: [
      nestTypeorm.TypeOrmModule.forRoot({
        type: 'postgres',
        url: process.env.DATABASE_URL,
        entities: [Note],
        migrations: [...migrations.migrations, CreateNotes1800000000001],
        migrationsRun: process.env.MIGRATE === 'true',
      }),
      IdempotencyModule.forRoot({
        accountOf: (request) => request.headers['x-tenant'],
      }),
    ],
    controllers: [NotesController],
  })(AppModule);

  const app = await nest.NestFactory.create(AppModule, adapter, { logger: ['error'], abortOnError: false });
  app.useGlobalFilters(new Errors());
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`listening on ${await app.getUrl()}\n`);
};

/** What `@one @two method() {}` does: the last one first. */
function decorate(type, name, decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, name);
  for (const decorator of decorators.toReversed()) decorator(type.prototype, name, descriptor);
  Object.defineProperty(type.prototype, name, descriptor);
}
