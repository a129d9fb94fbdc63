import { idempotencyKeys } from './idempotency-key.js';

// In production a live API key stays in the page's memory; elsewhere a reload needs no second paste.
const rememberKey = document.getElementById('swagger-ui').dataset.rememberKey === 'true';
// Swagger UI's own entry: what an earlier release kept there.
if (!rememberKey) localStorage.removeItem('authorized');

// The bundle stands before this file in the page and defines the global.
globalThis.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: rememberKey,
  ...idempotencyKeys(),
});
