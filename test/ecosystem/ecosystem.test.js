'use strict';
// The own test suites of packages that live on Buffers run under the fences as they run without: test/ecosystem/.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { root } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const home = __dirname;
const modules = path.join(home, 'node_modules');
const TIMEOUT_MS = 120_000;

const testsIn = (name, filter) =>
  fs
    .readdirSync(path.join(modules, name, 'test'))
    .filter((file) => file.endsWith('.js') && filter(file))
    .sort();

const countIn = (output) => Number(/^# pass +(\d+)$/m.exec(output)?.[1]);
const tape = path.join(modules, 'tape', 'bin', 'tape');

/** Of files that are tests by themselves: all, or the first few. */
const someOf = (files) => files.slice(0, byScale(4, files.length));

/**
 * A suite: the argument lists of the processes it runs in, how its passes are counted from their output, what it needs.
 */
const SUITES = {
  // BufferList: a list of Buffers that acts as one.
  bl: { processes: () => [['test/test.js']], passesIn: countIn },
  // MessagePack. Left out: a file that tests a package which is not installed with it, and one that takes long.
  msgpack5: {
    processes: () => {
      const leftOut = ['levelup-encoding.js', 'object-with-many-keys.js'];
      return [[tape, ...someOf(testsIn('msgpack5', (file) => !leftOut.includes(file))).map((file) => `test/${file}`)]];
    },
    passesIn: countIn,
  },
  // Multipart and URL-encoded forms. A file is one test: it exits with 0 or not.
  busboy: {
    processes: () => someOf(testsIn('busboy', (file) => file.startsWith('test-'))).map((file) => [`test/${file}`]),
  },
  // SSH client and server on the loopback: ciphers, key formats, SFTP, workers. Left out: OpenSSL's making of keys.
  ssh2: {
    processes: () => someOf(testsIn('ssh2', (file) => /^test-(?!keygen)/.test(file))).map((file) => [`test/${file}`]),
    wants: ['ssh'],
  },
};

function runProcess(name, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: path.join(modules, name),
      env,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ args, code, signal, output }));
  });
}

/** Runs a suite, one process after the other: the passes; throws with the output of what failed. */
async function runSuite(name, extra) {
  const { processes, passesIn } = SUITES[name];
  const env = { ...process.env, ...extra };
  // Set by the test runner for its own children; these are not.
  delete env.NODE_TEST_CONTEXT;
  let passes = 0;
  for (const args of processes()) {
    const { code, signal, output } = await runProcess(name, args, env);
    assert.deepEqual(
      { code, signal },
      { code: 0, signal: null },
      `${name}: node ${args.at(-1)}\n${output.slice(-5000)}`,
    );
    passes += passesIn === undefined ? 1 : passesIn(output);
  }
  assert.ok(passes > 0, `${name} passed no test`);
  return passes;
}

const urlOf = (...parts) => pathToFileURL(path.join(...parts)).href;

describe('the test suites of other packages', { skip: onlyOn('fences') }, () => {
  for (const name of byScale(['msgpack5', 'busboy', 'ssh2'], Object.keys(SUITES))) {
    test(
      `${name} passes as many of its own tests under the fences as without`,
      { skip: needs('suites', ...(SUITES[name].wants ?? [])) },
      async (t) => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-ecosystem-'));
        try {
          const notes = path.join(folder, 'notes');
          // In NODE_OPTIONS, so that the processes and workers of the suite have it too.
          const imports = [urlOf(root, 'index.mjs'), urlOf(home, 'fenced.mjs')].map((url) => `--import=${url}`);
          // Suites have files of fixed names where temporary files go.
          const ownFolder = (part) => {
            fs.mkdirSync(path.join(folder, part));
            return { TMPDIR: path.join(folder, part) };
          };
          const [under, without] = await Promise.all([
            runSuite(name, { NODE_OPTIONS: imports.join(' '), ECOSYSTEM_NOTES: notes, ...ownFolder('under') }),
            runSuite(name, { NODE_OPTIONS: '', ...ownFolder('without') }),
          ]);
          assert.equal(under, without);
          const ends = fs
            .readFileSync(notes, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line));
          const processes = ends.filter(({ isMainThread }) => isMainThread);
          assert.ok(processes.length >= SUITES[name].processes().length, 'every process of the suite had the fences');
          assert.deepEqual(
            ends.filter(({ broken }) => broken > 0),
            [],
            'no fence was broken',
          );
          t.diagnostic(
            `${under} passed, in ${processes.length} processes and ${ends.length - processes.length} workers`,
          );
        } finally {
          fs.rmSync(folder, { recursive: true, force: true });
        }
      },
    );
  }
});
