import { Global, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../kernel/config.js';
import { AccountsService } from './accounts.service.js';
import { ApiKeyReader } from './api-key.reader.js';
import { AuthenticationTrail } from './authentication-trail.js';
import { Authenticator } from './authenticator.js';
import { RateLimits } from './rate-limits.js';

@Global()
@Module({
  providers: [AccountsService, ApiKeyReader, AuthenticationTrail, Authenticator, RateLimits],
  exports: [AccountsService, AuthenticationTrail, Authenticator, RateLimits],
})
export class AccountsModule implements OnApplicationBootstrap {
  constructor(
    private readonly accounts: AccountsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.production) await this.accounts.ensureDemoAccounts(this.config.demoKeys);
  }
}
