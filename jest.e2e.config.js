import base from './jest.config.js';

// Over HTTP alone, against a service that already runs: no database, no set-up.
const { globalSetup: _setup, globalTeardown: _teardown, testPathIgnorePatterns: _ignored, ...rest } = base;

export default { ...rest, testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'], maxWorkers: 1 };
