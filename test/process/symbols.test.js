'use strict';
// V8's functions are found by name in the running executable. Whichever is missing, everything works without it: each
// mechanism falls back by itself, and says so.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { fixture, makeRandom, root, run, runs } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const { titles } = require('../runtimes/suite.cjs');

/** The mangled names in the sources; some are put together from two lines. */
function findSymbols() {
  const files = fs.readdirSync(path.join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.rs'));
  const text = files.map((file) => fs.readFileSync(path.join(root, 'src', file), 'utf8')).join('\n');
  const names = [...text.matchAll(/"(_Z[A-Za-z0-9_]+)"(?:,\s*"([A-Za-z0-9_]+)")?/g)].map(
    ([, first, rest = '']) => first + rest,
  );
  const methods = [...text.matchAll(/allocator\("(\w+)"\)/g)].map(
    ([, method]) => `_ZN4node24NodeArrayBufferAllocator${method}`,
  );
  return [...new Set([...names, ...methods])];
}

/** Runs the small suite of test/runtimes without some symbols: what failed. */
async function failuresWithout(hidden) {
  const result = await run({
    file: 'test/runtimes/suite.cjs',
    // Without fences the guard copies, so that C keeps no address.
    env: { PINNED_FFI_HIDE_SYMBOLS: hidden, FIXTURE: fixture, PINNED_FFI_GUARD: '' },
    flags: ['--expose-gc'],
  });
  assert.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.stderr);
  const results = result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ title }) => title !== undefined);
  assert.equal(results.length, titles.length);
  return results.filter(({ failed }) => failed !== null);
}

const state = `JSON.stringify([require('./lib/call/fast-call').callPath(), ffi.fences().installed])`;

describe('a function of the engine that is missing', () => {
  const symbols = findSymbols();

  test('the symbols of the test are those in the sources', () => {
    assert.ok(symbols.length > 40, `only ${symbols.length} names were found in src/`);
    assert.ok(
      symbols.some((name) => name.startsWith('_ZN2v816FunctionTemplate3New') && name.endsWith('CFunctionEttt')),
    );
  });

  // The sample is another one each day.
  const random = makeRandom(Math.floor(Date.now() / 86_400_000));
  const sample = symbols.filter(() => random() < byScale(0.06, 1));
  describe('of V8 or of Node', { concurrency: 2 }, () => {
    for (const symbol of sample) {
      test(`everything works without ${symbol}`, async () => {
        assert.deepEqual(await failuresWithout(symbol), []);
      });
    }
  });

  test('everything works without any of the symbols', async () => {
    assert.deepEqual(await failuresWithout('*'), []);
    const [callPath, installed] = JSON.parse(
      await runs(`console.log(${state})`, { env: { PINNED_FFI_HIDE_SYMBOLS: '*' } }),
    );
    assert.equal(installed, false);
    if (process.platform === 'linux') assert.ok(callPath.reason.length > 0);
  });
});

/** The suite may run with a call path that is forced. */
const unforced = { PINNED_FFI_CALL_PATH: undefined, PINNED_FFI_LANE: undefined };

describe('an engine that was not verified', () => {
  const pretend = (code) =>
    runs(`console.log(${state})`, {
      // It runs before the package is loaded.
      env: { ...unforced, NODE_OPTIONS: `--require ${write(code)}` },
    });
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-engine-'));
  const write = (code) => {
    const file = path.join(directory, `${Math.random().toString(36).slice(2)}.cjs`);
    fs.writeFileSync(file, code);
    return file;
  };
  const engines = {
    'a V8 of another version': [
      "Object.defineProperty(process.versions, 'v8', { value: '99.1.2' });",
      /not verified on V8 99\.1\.2/,
    ],
    'a NODE_MODULE_VERSION between two that were': [
      "Object.defineProperty(process.versions, 'modules', { value: '131' });",
      /not verified on Node .* \(NODE_MODULE_VERSION 131\)/,
    ],
    'a build with pointer compression': [
      "Object.defineProperty(process, 'config', { value: { variables: { v8_enable_pointer_compression: 1 } } });",
      /built with v8_enable_pointer_compression/,
    ],
    'a build with the sandbox': [
      "Object.defineProperty(process, 'config', { value: { variables: { v8_enable_sandbox: 1 } } });",
      /built with v8_enable_sandbox/,
    ],
    'a build with direct handles': [
      "Object.defineProperty(process, 'config', { value: { variables: { v8_enable_direct_handle: true } } });",
      /built with v8_enable_direct_handle/,
    ],
  };
  for (const [name, [code, reason]] of Object.entries(engines)) {
    test(`an engine that was not verified is used by Node-API alone: ${name}`, { skip: onlyOn('fences') }, async () => {
      const [callPath, installed] = JSON.parse(await pretend(code));
      assert.match(callPath.reason, reason);
      assert.deepEqual([callPath.name, installed], ['generic', false]);
    });
  }
});

describe('the variable that chooses the call path', () => {
  const nameOf = async (env) =>
    JSON.parse(await runs(`console.log(${state})`, { env: { ...unforced, ...env } }))[0].name;

  test('PINNED_FFI_CALL_PATH takes every path, and PINNED_FFI_LANE is its earlier name with earlier values', async () => {
    assert.equal(await nameOf({ PINNED_FFI_CALL_PATH: 'generic' }), 'generic');
    assert.equal(await nameOf({ PINNED_FFI_CALL_PATH: 'libffi' }), 'libffi');
    assert.equal(await nameOf({ PINNED_FFI_LANE: 'frame' }), 'generic');
    assert.equal(await nameOf({ PINNED_FFI_LANE: 'v8' }), await nameOf({ PINNED_FFI_CALL_PATH: 'fast' }));
    assert.equal(await nameOf({ PINNED_FFI_LANE: 'frame', PINNED_FFI_CALL_PATH: 'libffi' }), 'libffi');
  });

  test('other values of PINNED_FFI_CALL_PATH are refused by the name of the variable', async () => {
    for (const [name, value] of [
      ['PINNED_FFI_CALL_PATH', 'frame'],
      ['PINNED_FFI_LANE', 'generic'],
    ]) {
      const code = `try { ${state} } catch (error) { console.log(JSON.stringify(error.message)); }`;
      assert.match(
        JSON.parse(
          await runs(code.replace('ffi.fences', "require('./').fences"), {
            env: { ...unforced, [name]: value },
            isBare: true,
          }),
        ),
        new RegExp(`^${name} must be .* received '${value}'$`),
      );
    }
  });
});
