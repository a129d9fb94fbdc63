// First of all, before anything of a package that doesn't fit is loaded.
import './peers.js';

export * from '../../src/idempotency/testing/index.js';
