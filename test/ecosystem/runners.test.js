'use strict';
// Test runners that give every test file, or every test, modules of its own: test/ecosystem/runners.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { root } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');
const { platformKey } = require('../../lib/native/platform.js');

const home = path.join(__dirname, 'runners');
const modules = path.join(home, 'node_modules');
const TIMEOUT_MS = 120_000;

/** The package as npm would install it: what a link leads to is no dependency for a runner. */
function copyPackage() {
  const copy = path.join(modules, 'pinned-ffi');
  fs.rmSync(copy, { recursive: true, force: true });
  const addon = path.join('prebuilds', `${platformKey()}.node`);
  for (const part of ['index.js', 'index.mjs', 'package.json', 'lib', addon]) {
    fs.cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
}

function run(runner, args) {
  const env = { ...process.env, CI: '1', NO_COLOR: '1' };
  // Set by the test runner for its own children; these are not.
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const options = { cwd: home, env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] };
    const child = spawn(process.execPath, [path.join(modules, ...runner), ...args], options);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

const skip = onlyOn('linux') || needs('runners');
if (!skip) copyPackage();

describe('a suite that resets its modules', { skip }, () => {
  for (const name of byScale(['jest'], ['jest', 'jest-30.0'])) {
    test(`a suite that resets its modules passes under ${name}, which finds no open handle of the package`, async () => {
      const args = ['--rootDir', path.join(home, 'jest'), '--no-cache', '--detectOpenHandles'];
      const { code, signal, output } = await run([name, 'bin', 'jest.js'], args);
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, output);
      assert.match(output, /^Tests: +7 passed, 7 total$/m);
      // jest 30.0 lists one that napi-rs makes for each addon.
      assert.doesNotMatch(output, /MaxListeners|● +pinned[-_]ffi/i);
    });
  }

  for (const pool of byScale([], ['forks', 'threads', 'vmThreads'])) {
    test(`a suite that resets its modules passes under vitest, pool ${pool}`, async () => {
      const { code, signal, output } = await run(
        ['vitest', 'vitest.mjs'],
        ['run', `--pool=${pool}`, '--dir', 'vitest'],
      );
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, output);
      assert.match(output, /Tests +3 passed/);
    });
  }
});
