'use strict';
// The table of types, and what has to know each of its types.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { ffi, root } = require('../helpers.js');
const { byName, byTag } = require('../../lib/types/registry.js');
const { SCALARS } = require('../abi/scalars.js');

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const types = [...byName].filter(([, descriptor]) => descriptor.refused === undefined);
const names = types.map(([name]) => name);
const isOrdered = (name) => /^[iuf]\d\d[bl]e$/.test(name);

test('a tag stands for the type that FFIType has under it', () => {
  const tags = Object.entries(ffi.FFIType).filter(([name]) => !/^\d+$/.test(name));
  assert.ok(tags.length > 40);
  for (const [name, tag] of tags) assert.equal(byTag(tag), byName.get(name), name);
});

test('TypeScript knows every type by every name', () => {
  const declared = new Set(
    [...read('types/table.d.ts').matchAll(/^ {2}(?:'([^']+)'|(\w+)):/gm)].map((m) => m[1] ?? m[2]),
  );
  assert.deepEqual(
    names.filter((name) => !declared.has(name)),
    [],
  );
});

test('docs/types.md names every type', () => {
  const text = read('docs/types.md').split('\n## ')[1];
  const canonical = [...new Set(types.map(([, { name }]) => name))].filter((name) => !isOrdered(name));
  assert.deepEqual(
    canonical.filter((name) => !text.includes(`\`${name}\``)),
    [],
  );
});

test('random signatures have every type that a parameter may have', () => {
  assert.deepEqual(
    names.filter((name) => name !== 'void' && !isOrdered(name) && !Object.hasOwn(SCALARS, name)),
    [],
  );
});
