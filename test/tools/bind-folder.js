'use strict';
// A folder in which `pinned-ffi bind` makes modules for the tests of a file, and in which programs import them.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');
const { root } = require('../helpers.js');

// Node runs TypeScript by itself since 22.18.
const EXTENSION = process.features.typescript ? 'mts' : 'mjs';
const header = path.join(__dirname, '..', 'fixtures', 'bind.h');
const OUT = ['--out', 'bind_create.created', '--out', 'bind_read.value', '--out', 'bind_read.name'];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-test-bind-'));

before(() => {
  fs.mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true });
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'pinned-ffi'), 'junction');
  fs.symlinkSync(
    path.join(root, 'node_modules', '@types', 'node'),
    path.join(folder, 'node_modules', '@types', 'node'),
    'junction',
  );
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

function run(file, args, env = {}) {
  const environment = { ...process.env, ...env };
  delete environment.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: folder,
      env: environment,
      timeout: 120_000,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const streams = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (streams[name] += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...streams }));
  });
}

const bind = (args, env) => run(path.join(root, 'bin', 'pinned-ffi.js'), ['bind', ...args], env);

/** Generates a module; gives its text and what stderr said. */
async function generate(name, args) {
  const file = path.join(folder, `${name}.${args.includes('--js') ? 'mjs' : EXTENSION}`);
  const result = await bind([...args.filter((arg) => arg !== '--js'), '-o', file]);
  assert.deepEqual([result.code, result.signal], [0, null], result.stderr);
  assert.equal(result.stdout, '');
  return { file, text: fs.readFileSync(file, 'utf8'), notes: result.stderr };
}

let programs = 0;

/** Runs a program that imports a generated module as `m`; gives what it printed as JSON. */
async function runs(name, code, extension = EXTENSION) {
  const file = path.join(folder, `${name}-program-${(programs += 1)}.mjs`);
  fs.writeFileSync(
    file,
    `import * as m from './${name}.${extension}';\nimport * as ffi from 'pinned-ffi';\n` +
      'const print = (value) => console.log(JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each)));\n' +
      code,
  );
  const { code: exit, signal, stdout, stderr } = await run(file, []);
  assert.deepEqual([exit, signal], [0, null], `${stderr}\n${stdout}`);
  return JSON.parse(stdout);
}

const fails = async (args, code, message, env) => {
  const result = await bind(args, env);
  assert.deepEqual([result.code, result.signal, result.stdout], [code, null, ''], result.stderr);
  assert.match(result.stderr, message);
};

module.exports = { EXTENSION, header, OUT, folder, run, bind, generate, runs, fails };
