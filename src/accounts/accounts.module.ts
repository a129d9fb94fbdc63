import { Global, Module } from '@nestjs/common';
import { AccountsService } from './accounts.service.js';
import { ApiKeyReader } from './api-key.reader.js';
import { AuthenticationAttempts } from './authentication-attempts.js';
import { AuthenticationTrail } from './authentication-trail.js';
import { Authenticator } from './authenticator.js';
import { RateLimits } from './rate-limits.js';

@Global()
@Module({
  providers: [AccountsService, ApiKeyReader, AuthenticationAttempts, AuthenticationTrail, Authenticator, RateLimits],
  exports: [AccountsService, AuthenticationAttempts, Authenticator, RateLimits],
})
export class AccountsModule {}
