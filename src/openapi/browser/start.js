import { idempotencyKeys } from './idempotency-key.js';

// The bundle stands before this file in the page and defines the global.
globalThis.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  ...idempotencyKeys(),
});
