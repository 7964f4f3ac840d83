'use strict';

// The rules for JavaScript in this repository. prettier decides the layout; test/repository/architecture.test.js
// decides which folder may import which, because it reads the imports of all files at once.
const js = require('@eslint/js');
const n = require('eslint-plugin-n');

const rules = {
  // Control characters are what several of our expressions look for.
  'no-control-regex': 'off',
  // The package supports Node 20.0 and looks for newer functions before it uses them.
  'n/no-unsupported-features/node-builtins': 'off',
  'n/no-unsupported-features/es-builtins': 'off',
  'n/no-unsupported-features/es-syntax': 'off',
  'no-unused-vars': ['error', { args: 'after-used', caughtErrors: 'none', ignoreRestSiblings: true }],
};

/** Programs that a person or a test starts end the process themselves; what the package contains never does. */
const programs = ['bench/**', 'cli/main.js', 'scripts/**', 'test/**'];

/** Programs for other runtimes, and for packages that are installed where they run. */
const foreign = [
  'bench/cases/programs/**',
  'bench/peers/**',
  'docs/site/**',
  'examples/from-koffi/**',
  'test/runtimes/**',
  'test/ecosystem/**',
  'test/dialects/node-ffi/programs/**',
];

/** Globals that programs and test runners delete or replace. */
const replaceable = {
  Buffer: "require('node:buffer')",
  URL: "isUrl of lib/validate.js, or require('node:url')",
  WeakRef: 'lib/native/weak.js',
  FinalizationRegistry: 'lib/native/weak.js',
  setImmediate: "require('node:timers')",
  setTimeout: "require('node:timers')",
};

const jest = ['beforeEach', 'expect', 'jest', 'test'];

module.exports = [
  {
    ignores: [
      'target/',
      'docs/site/pages/',
      'docs/site/dist/',
      'docs/site/.vitepress/cache/',
      'prebuilds/',
      '**/node_modules/',
      'test/fixtures/build/',
      'bench/lib/build/',
      'bench/results/',
    ],
  },
  js.configs.recommended,
  { files: ['**/*.js', '**/*.cjs'], ...n.configs['flat/recommended-script'] },
  { files: ['**/*.mjs'], ...n.configs['flat/recommended-module'] },
  { rules },
  {
    files: ['lib/**'],
    ignores: ['lib/native/weak.js'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...Object.entries(replaceable).map(([name, other]) => ({ name, message: `Use ${other}.` })),
      ],
    },
  },
  { files: programs, rules: { 'n/no-process-exit': 'off' } },
  {
    files: foreign,
    rules: {
      'n/no-extraneous-import': 'off',
      'n/no-extraneous-require': 'off',
      'n/no-missing-import': 'off',
      'n/no-missing-require': 'off',
    },
  },
  {
    files: ['test/ecosystem/runners/jest/**'],
    languageOptions: { globals: Object.fromEntries(jest.map((name) => [name, 'readonly'])) },
  },
];
