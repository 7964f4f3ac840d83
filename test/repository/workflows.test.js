'use strict';
// The workflows: actions are pinned, CI builds every published addon, and permissions are minimal.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { root } = require('../helpers.js');

const folder = path.join(root, '.github', 'workflows');
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');

test('every action is pinned by its commit, with its version beside it', () => {
  for (const name of fs.readdirSync(folder)) {
    const used = [...read(name).matchAll(/uses: (.*)/g)].map(([, action]) => action);
    assert.ok(used.length > 0, name);
    for (const action of used.filter((each) => !each.startsWith('./'))) {
      assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name);
    }
  }
});

test('a release has an addon of every platform that CI builds', () => {
  const ci = read('ci.yml');
  const linux = [...ci.matchAll(/arch: (\w+), runner/g)].map(([, arch]) => arch);
  const keys = [...ci.matchAll(/key: ([\w-]+), runner/g)].map(([, key]) => key);
  assert.deepEqual(
    [linux, keys],
    [
      ['x64', 'arm64', 'x64', 'arm64'],
      ['darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'],
    ],
  );
  assert.match(read('release.yml'), /for key in linux-\{x64,arm64\}\{,-musl\} \{darwin,win32\}-\{x64,arm64\}; do/);
});

test('the runner learns in CI that it is on GitHub, though root has an environment of its own', () => {
  assert.match(read('ci.yml'), /sudo --preserve-env=CI,GITHUB_ACTIONS,\S+ env PATH="\$PATH" \.ci\/run/);
});

test('only publishing may ask for a token, and no workflow has a secret', () => {
  for (const name of fs.readdirSync(folder)) {
    const text = read(name);
    assert.match(text, /^permissions:\n {2}contents: read$/m, name);
    assert.doesNotMatch(text, /secrets\.|: write-all|contents: write/, name);
  }
  assert.doesNotMatch(read('ci.yml'), /id-token/);
  assert.match(read('release.yml'), /publish:[^]*id-token: write[^]*npm publish --provenance/);
});
