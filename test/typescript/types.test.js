'use strict';
// The declarations as a program sees them that exports what the package gives: with `declaration: true`, which is the
// default of `tsc --init`, the compiler has to name each inferred type. `npm run test:types` has the other programs.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { root, makeFolder } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { byScale } = require('../scale.js');
const { compile, makeProject } = require('./typed-project.js');

const types = __dirname;
const folder = makeFolder('pinned-ffi-types');

const copy = (files, project) =>
  files.forEach((file) => fs.copyFileSync(path.join(types, file), path.join(project, file)));

describe('a program that exports what the package gives', () => {
  let output;
  let emitted;

  before(() => {
    const project = path.join(folder, 'exported');
    makeProject(project);
    copy(['exported.mts'], project);
    output = compile(project);
    emitted = fs.readFileSync(path.join(project, 'out', 'exported.d.mts'), 'utf8').replace(/\s+/g, ' ');
  });

  test('a program that exports what the package gives compiles with `declaration: true`', () => {
    assert.equal(output, '');
  });

  test('a program that exports what the package gives has declarations that refer to the entries of the package only', () => {
    const imported = new Set([...emitted.matchAll(/\b(?:from |import\()["']([^"']+)/g)].map(([, from]) => from));
    assert.deepEqual([...imported].sort(), ['pinned-ffi', 'pinned-ffi/bun', 'pinned-ffi/koffi']);
  });

  test('a program that exports what the package gives shows the fields of structs, and the parameters of functions', () => {
    const POINT = '{ x: number; y: number; }';
    assert.ok(emitted.includes(`declare const pointRead: ${POINT};`), emitted);
    assert.ok(emitted.includes(`declare const pointView: ${POINT} & import("pinned-ffi").LiveView;`), emitted);
    const call = '((arg0: number | bigint) => number)';
    const asynchronous = '<((arg0: number | bigint) => Promise<number>)';
    assert.ok(
      emitted.includes(`declare const abs: ${call} & import("pinned-ffi").BoundFunction${asynchronous}`),
      emitted,
    );
  });
});

test(
  'the oldest TypeScript that docs/typescript.md names compiles the programs of test/typescript',
  {
    skip: needs('oldestTypeScript'),
  },
  () => {
    const modules = path.join(types, 'oldest', 'node_modules');
    const { version } = JSON.parse(fs.readFileSync(path.join(modules, 'typescript', 'package.json'), 'utf8'));
    const documented = /TypeScript (\d+\.\d+) or later/.exec(
      fs.readFileSync(path.join(root, 'docs', 'typescript.md'), 'utf8'),
    );
    assert.ok(version.startsWith(`${documented?.[1]}.`), `${version} is not what docs/typescript.md says`);
    const project = path.join(folder, 'oldest');
    makeProject(project, modules);
    const programs = fs.readdirSync(types).filter((name) => /\.[cm]?ts$/.test(name));
    copy(byScale(['equal.ts', 'declared.ts', 'memory.ts', 'memory2.ts'], programs), project);
    assert.equal(compile(project, modules), '');
  },
);
