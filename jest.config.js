// Nest 12 and a few of its leaves ship only ES modules, which Jest loads natively from Node 24.9 on. Compiling them
// (once, cached) keeps Jest in its stable CommonJS mode on every supported Node.
const esmOnly = [
  '@nestjs',
  'canonicalize',
  'cookie',
  'content-disposition',
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
  '@tokenizer',
  '@borewit',
  'uuid',
  'lru-cache',
  'kysely',
];

const swc = [
  '@swc/jest',
  {
    swcrc: false,
    sourceMaps: 'inline',
    module: { type: 'commonjs' },
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
  },
];

export default {
  rootDir: '.',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  // What takes minutes has a command of its own: npm run test:long.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/e2e/', '\\.long\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  moduleNameMapper: {
    // Its exports name the condition 'import' alone, which the CommonJS resolver doesn't ask for.
    '^canonicalize$': '<rootDir>/node_modules/canonicalize/lib/canonicalize.js',
    '^(\\.{1,2}/(?!.*node_modules).*)\\.js$': ['$1.js', '$1'],
  },
  transform: { '^.+\\.(ts|js|mjs)$': swc },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // Files wait more than they work, so two cores carry two of them. A worker that has loaded many is replaced: modules stay in memory.
  maxWorkers: 2,
  workerIdleMemoryLimit: '1GB',
  testTimeout: 180_000,
};
