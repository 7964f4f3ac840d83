'use strict';
// Other runtimes: the package in Bun and in Deno, and programs for bun:ffi, which print on Node what they print in Bun.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { installBun, installDeno, installNode } = require('../../scripts/npm.js');
const { fixture, root } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { titles } = require('./suite.cjs');

const home = __dirname;
const TIMEOUT_MS = 120_000;

/** Runs a program to its end: what it printed; fails where it ends otherwise. */
function output(binary, args) {
  // Without fences the guard copies, so that C keeps no address.
  const env = { ...process.env, FIXTURE: fixture, NO_COLOR: '1', PINNED_FFI_GUARD: '' };
  // Set by the test runner for its own children; these are not.
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    // A program may open a file of the directory it is run in.
    const child = spawn(binary, args, {
      cwd: path.dirname(fixture),
      env,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const streams = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (streams[name] += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(streams.stdout);
      return reject(
        new Error(`${path.basename(binary)} ended with ${signal ?? code}\n${streams.stderr}\n${streams.stdout}`),
      );
    });
  });
}

describe('programs for bun:ffi', { skip: onlyOn('bunAndDeno') }, () => {
  let bun;
  before(() => {
    if (!needs('registry')) bun = installBun();
  });

  const hook = `--import=${pathToFileURL(path.join(root, 'bun.mjs')).href}`;
  const programs = path.join(home, 'programs');
  for (const name of fs.readdirSync(programs).sort()) {
    const skip = name === 'libraries.mjs' ? needs('registry', 'sqlite3', 'z') : needs('registry');
    test(`${name} prints the same on Node, with the hook, as in Bun`, { skip }, async () => {
      const file = path.join(programs, name);
      const [inBun, onNode] = await Promise.all([
        output(bun, [file]),
        output(process.execPath, ['--expose-gc', hook, file]),
      ]);
      assert.ok(inBun.split('\n').length > 4, `${name} printed next to nothing: ${inBun}`);
      assert.equal(onNode, inBun);
    });
  }
});

test('Node 18 is refused by its version', { skip: onlyOn('bunAndDeno', 'node24') || needs('registry') }, async () => {
  const node = installNode('18');
  const file = (name) => JSON.stringify(path.join(root, name));
  const message = /^ERR_FFI_RUNTIME_UNSUPPORTED pinned-ffi needs Node 20 or later, this is 18\.\d+\.\d+$/;
  for (const name of ['index.js', 'bun.js']) {
    const code = `try { require(${file(name)}) } catch (error) { console.log(error.code, error.message) }`;
    assert.match((await output(node, ['-e', code])).trim(), message);
  }
});

// Bun and Deno are the same beside every Node, so they run beside one.
const inDeno = ['run', '--allow-all', '--v8-flags=--expose-gc'];
const runtimes = {
  Bun: { install: installBun, args: [] },
  'Bun 1.3': { install: () => installBun('1.3.14'), args: [] },
  Deno: { install: installDeno, args: inDeno },
  // Its workers have no `exit` event.
  'Deno 2.5': {
    install: () => installDeno('2.5.6'),
    args: inDeno,
    leftOut: ['the package works in a worker, which ends'],
  },
};
for (const [name, { install, args, leftOut = [] }] of Object.entries(runtimes)) {
  describe(`the package in ${name}`, { skip: onlyOn('bunAndDeno', 'node24') }, () => {
    let results;
    before(async () => {
      if (needs('registry')) return;
      const printed = await output(install(), [...args, path.join(home, 'suite.cjs')]);
      results = new Map(
        printed
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
          .filter(({ title }) => title !== undefined)
          .map(({ title, failed }) => [title, failed]),
      );
    });

    for (const title of titles.filter((each) => !leftOut.includes(each))) {
      test(`${title}, in ${name}`, { skip: needs('registry') }, () => {
        assert.ok(results.has(title), 'it was not run');
        assert.equal(results.get(title), null, results.get(title) ?? '');
      });
    }
  });
}
