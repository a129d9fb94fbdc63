// Who may import whom. The arrow points one way: kernel ← http, database ← accounts ← catalog, tickets … ← app. See the comment of each rule.

// Small things that everybody shares, HTTP, the database; with them go the core's index, the words in which controllers
// describe themselves to OpenAPI, where events are written, what is counted, and what is told of a request.
const shared = [
  '^src/(kernel|http|database)/',
  '^src/idempotency/index\\.ts$',
  '^src/events/outbox\\.ts$',
  '^src/observability/(metrics(\\.registry)?|told)\\.ts$',
  '^src/openapi/(api\\.decorator|api\\.builders|field\\.decorator|fields)\\.ts$',
];
const accounts = '^src/accounts/';

/** A folder of src may import itself, the shared folders, accounts and the paths named. */
const folder = (name, ...others) => ({
  name: `${name}-imports`,
  comment: `src/${name}: the shared folders, accounts${others.map((other) => `, ${other}`).join('')}, and nothing else of src`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^(src|sandbox|local)/', pathNot: [...shared, accounts, `^src/${name}/`, ...others.map((other) => `^src/${other}`)] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment:
        'Two files that need each other are one file, or lack a third. Types may name each other: nothing of them is left at run time.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-stands-alone',
      comment: 'src/idempotency can be lifted into another service: it imports packages and itself.',
      severity: 'error',
      from: { path: '^src/idempotency/' },
      to: { path: '^(src|migrations|sandbox|local|test)/', pathNot: '^src/idempotency/' },
    },
    {
      name: 'core-by-its-index',
      comment: 'What src/idempotency promises stands in its index; everything behind it may change.',
      severity: 'error',
      from: { path: '^(src|sandbox|local|migrations)/', pathNot: '^src/idempotency/' },
      to: { path: '^src/idempotency/', pathNot: '^src/idempotency/index\\.ts$' },
    },
    {
      name: 'kernel-imports',
      comment: 'The kernel knows the core, from which it has its ids, and nobody else.',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { path: '^(src|migrations|sandbox|local)/', pathNot: ['^src/kernel/', '^src/idempotency/index\\.ts$'] },
    },
    {
      name: 'http-and-database-import',
      comment: 'What HTTP and the database are made of knows no feature; the command that prepares a database is no part of it.',
      severity: 'error',
      from: { path: '^src/(http|database)/', pathNot: '^src/database/migrate\\.cli\\.ts$' },
      to: { path: '^src/', pathNot: [...shared] },
    },
    {
      name: 'entities-import',
      comment: 'The list of entities names entities alone.',
      severity: 'error',
      from: { path: '^src/entities\\.ts$' },
      to: { path: '^src/', pathNot: ['\\.entity\\.ts$', '^src/idempotency/index\\.ts$'] },
    },
    {
      name: 'controllers-are-ends',
      comment: 'Nobody but its module needs a controller: what two of them share has a place of its own.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.module\\.ts$' },
      to: { path: '\\.controller\\.ts$' },
    },
    // A new account is given what the catalogue starts with.
    folder('accounts', 'catalog/demo-products\\.ts'),
    // The names that records have come from those who gave them, and the provider's books from payments.
    folder(
      'audit',
      'orders/order\\.dto\\.ts',
      'tickets/ticket\\.dto\\.ts',
      'payments/(payment-replies|end-states|provider/ledger|.*\\.steps?)\\.ts',
    ),
    folder('catalog'),
    folder('events'),
    folder('operations'),
    // Figures are their owners': what a metric shows of payments, payments count and hand to it.
    folder('observability'),
    // Readiness tells whether payments pass.
    folder('health', 'payments/payments\\.module\\.ts', 'payments/restore/restore-gate\\.ts'),
    folder('problems'),
    folder('console'),
    folder('openapi', 'app\\.ts$'),
    folder('orders', 'catalog/'),
    // A decision is answered with the operation that it settles.
    folder('payments', 'orders/', 'catalog/', 'operations/operation\\.dto\\.ts', 'operations/operations\\.api\\.ts'),
    folder('tickets', 'orders/'),
    folder('webhooks', 'events/'),
    {
      name: 'src-stands-alone',
      comment: 'The service runs without the tools around it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(local|sandbox|test|bench)/' },
    },
    {
      name: 'client-stands-alone',
      comment: 'The client is a package of its own, for whoever has a server like this one.',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^(src|migrations|sandbox|local|test)/' },
    },
    {
      name: 'browsers-have-no-node',
      comment: 'What a browser loads of the client needs nothing of Node; what does stands behind an entry of its own.',
      severity: 'error',
      from: { path: '^client/src/', pathNot: '^client/src/(node|stores/file(-locks)?)\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sandbox-stands-alone',
      comment: 'The provider is somebody else: it shares nothing with the service but how a process reads its variables.',
      severity: 'error',
      from: { path: '^sandbox/' },
      to: { path: '^(src|local|migrations|test)/', pathNot: '^src/kernel/(config|database-url)\\.ts$' },
    },
    {
      name: 'local-imports',
      comment: 'What starts the pieces on a developer’s machine starts them as processes.',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(src|sandbox|migrations|test)/', pathNot: '^src/kernel/(config|progress)\\.ts$' },
    },
    {
      name: 'migrations-stand-alone',
      comment: 'A migration says what it did then; code that it imported would change it afterwards.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^(src|sandbox|local|test)/' },
    },
    {
      name: 'no-development-packages',
      comment: 'An installation without devDependencies runs.',
      severity: 'error',
      from: { path: '^(src|migrations|sandbox|local|client/src)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Types travel along the arrow as well.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
