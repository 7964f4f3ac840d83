'use strict';
// Every row of docs/migrating.md: the code in its column "here" evaluates to the value in its column "gives".

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { ffi, root } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const names = Object.keys(ffi);
const scope = { ...Object.fromEntries(names.map((name) => [name, ffi[name]])), c: ffi.dlopen(null, '') };
const run = (code) => new Function(...Object.keys(scope), `'use strict'; return (${code});`)(...Object.values(scope));

const text = fs.readFileSync(path.join(root, 'docs', 'migrating.md'), 'utf8');
const sections = text.split(/^## /m).slice(1);

test('there is a section for each of six packages', () => {
  assert.deepEqual(
    sections.map((section) => section.split('\n')[0]),
    ['koffi', 'ffi-napi', 'ffi-rs', 'node:ffi', 'Deno', "Python's cffi"],
  );
});

for (const section of sections) {
  describe(section.split('\n')[0], { skip: onlyOn('linux') }, () => {
    const rows = section
      .split('\n')
      .filter((line) => /^\| .*`/.test(line))
      .map((line) => line.slice(2, -2).split(' | '));
    test(`${section.split('\n')[0]} has rows`, () => assert.ok(rows.length > 5));
    for (const [there, here, gives] of rows) {
      test(`${there} has a counterpart here`, () => assert.equal(inspect(run(here.slice(1, -1))), gives.slice(1, -1)));
    }
  });
}
