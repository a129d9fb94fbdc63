import type { DynamicModule, Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessGuard } from '../../src/accounts/access.guard.js';
import { AccountsModule } from '../../src/accounts/accounts.module.js';
import { createHttpApp } from '../../src/app.js';
import { CONFIG, readConfig } from '../../src/kernel/config.js';
import { ENTITIES } from '../../src/entities.js';
import { AUTHENTICATION, BACKGROUND, authenticationPool, backgroundPool, mainPool } from '../../src/database/data-source.js';
import { BodyGuard } from '../../src/http/body.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { Metrics } from '../../src/observability/metrics.registry.js';

class Shell {}

/**
 * Serves a controller in the service's own shell: the same platform, pools, authentication, reading and validation of
 * bodies, request ids and log lines. What is left to compare is what stands behind it.
 */
export async function serve(controller: Type, imports: DynamicModule[] = []): Promise<void> {
  const config = readConfig();
  const module: DynamicModule = {
    module: Shell,
    global: true,
    imports: [
      TypeOrmModule.forRoot(mainPool(config, ENTITIES)),
      TypeOrmModule.forRoot({ ...backgroundPool(config, ENTITIES), name: BACKGROUND }),
      TypeOrmModule.forRoot({ ...authenticationPool(config), name: AUTHENTICATION }),
      AccountsModule,
      ...imports,
    ],
    controllers: [controller],
    providers: [
      { provide: CONFIG, useValue: config },
      Lifecycle,
      // The guard counts whom it refuses.
      Metrics,
      { provide: APP_GUARD, useClass: AccessGuard },
      { provide: APP_GUARD, useClass: BodyGuard },
    ],
    exports: [CONFIG, Lifecycle],
  };
  const app = await createHttpApp(module, config);
  await app.listen(config.port, config.host);
  process.on('SIGTERM', () => process.exit());
  process.on('disconnect', () => process.exit());
  process.send?.({ ready: { url: await app.getUrl() } });
}
