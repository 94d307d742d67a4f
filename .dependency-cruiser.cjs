// @ts-check
/** The rooms, from left to right: a room may import any room to its right. Whatever stands after tokens and clients is support. */
const ROOMS = [
  'admin',
  'authorization',
  'federated-identities',
  'idp-offline-access',
  'tokens',
  'clients',
  'users',
  'webhooks',
  'identity-providers',
  'sessions',
  'outbox',
  'encryption',
  'throttling',
  'audit',
  'health',
  'jobs',
  'metrics',
  'config',
  'database',
  'common',
];

/** Support never imports a feature, and of two features only the left one knows the other. */
const upward = ROOMS.slice(1).map((room, index) => ({
  name: `${room}-imports-no-room-to-its-left`,
  severity: 'error',
  comment: 'See the order above: use a registry in the lower room, a listener, or carry the data along.',
  from: { path: `^src/${room}/` },
  to: { path: `^src/(${ROOMS.slice(0, index + 1).join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment:
        'Under native ESM with decorator metadata a cycle dies at load, a type-only one once a class is decorated.',
      from: {},
      to: { circular: true },
    },
    ...upward,
    {
      name: 'every-room-is-in-the-order',
      severity: 'error',
      comment: 'A new room has to find its place in ROOMS.',
      from: { path: `^src/(?!(${ROOMS.join('|')})/)[^/]+/` },
      to: {},
    },
    {
      name: 'rooms-are-entered-through-their-index',
      severity: 'error',
      comment: 'Only common, which has no inside, is imported by path.',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', '^src/common/'] },
    },
    {
      name: 'the-composition-enters-rooms-through-their-index',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/[^/]+/index\\.ts$', '^src/common/'] },
    },
    {
      name: 'rooms-do-not-know-the-composition',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: ['^src/[^/]+\\.ts$', '^ormconfig\\.ts$'] },
    },
    {
      name: 'common-imports-nothing',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^(src/(?!common/)|ormconfig)' },
    },
    {
      name: 'ormconfig-knows-entities-and-migrations-only',
      severity: 'error',
      from: { path: '^ormconfig\\.ts$' },
      to: {
        path: '^src/',
        pathNot: ['\\.entit(y|ies)\\.ts$', '^src/database/migrations/', '^src/database/data-source\\.ts$'],
      },
    },
    {
      name: 'entities-stay-in-their-room',
      severity: 'error',
      comment: 'Records go out of a room, never entities.',
      from: { path: '^src/[^/]+/index\\.ts$' },
      to: { path: '\\.entit(y|ies)\\.ts$' },
    },
    {
      name: 'the-engine-knows-no-grant-and-no-dialect',
      severity: 'error',
      from: { path: '^src/tokens/engine/' },
      to: { path: '/(grants|dialects)/' },
    },
    {
      name: 'the-engine-knows-no-transport',
      severity: 'error',
      from: { path: '^src/tokens/engine/' },
      to: {
        path: 'node_modules/(@types/)?(express|@nestjs/swagger|@nestjs/passport|@nestjs/platform-express|passport)',
      },
    },
    {
      name: 'grants-know-no-dialect',
      severity: 'error',
      from: { path: '^src/tokens/grants/' },
      to: { path: '/dialects/' },
    },
    {
      name: 'dialects-know-the-engine-not-the-grants',
      severity: 'error',
      from: { path: '^src/tokens/dialects/' },
      to: { path: '^src/tokens/grants/' },
    },
    {
      name: 'a-dialect-is-imported-by-its-room-s-module-only',
      severity: 'error',
      from: { path: '^src/', pathNot: ['/dialects/', '\\.module\\.ts$'] },
      to: { path: '/dialects/' },
    },
    {
      name: 'nothing-imports-a-test-or-a-script',
      severity: 'error',
      from: { path: '^(src/|ormconfig)' },
      to: { path: '^(test|scripts|dist)/' },
    },
    {
      name: 'only-dependencies-that-are-installed-in-production',
      severity: 'error',
      from: { path: '^(src/|ormconfig)' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Type-only imports are imports: what is only a type today is a decorated parameter tomorrow.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
