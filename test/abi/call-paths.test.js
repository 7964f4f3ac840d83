'use strict';
// The same calls on every call path, interpreted, optimised, and without generated code: outcomes equal to the letter.

const assert = require('node:assert/strict');
const { describe, test, before } = require('node:test');
const { run } = require('../helpers.js');
const { byScale } = require('../scale.js');
const { CALL_PATHS, ENGINES, environmentOf } = require('./call-paths.js');

const NATIVES = ['--expose-gc', '--allow-natives-syntax'];
const file = 'test/fixtures/calls.js';

/** { pass: [[call, outcome], ...] } of a child. */
async function outcomes(callPath, flags, mode = 'cold', env = {}) {
  const options = {
    file,
    args: [mode],
    flags: [...NATIVES, ...flags],
    env: { ...environmentOf(callPath), ...env },
    timeout: 300_000,
  };
  const { code, signal, stdout, stderr } = await run(options);
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  const passes = Object.entries(JSON.parse(stdout));
  return Object.fromEntries(passes.map(([pass, list]) => [pass, list.filter(([call]) => !isOfProcess(call))]));
}

/** The number of a JSCallback is its address, which another process has elsewhere. */
const isOfProcess = (call) => call.includes('wrap') && call.endsWith(': open callback');

/** No call ended in another way than in the reference: differences are shown side by side. */
function assertEqual(got, reference, what) {
  assert.equal(got.length, reference.length, what);
  const different = got.flatMap(([call, outcome], i) =>
    call === reference[i][0] && outcome === reference[i][1]
      ? []
      : [`${call}\n  ${what}: ${outcome}\n  interpreted: ${reference[i][1]}`],
  );
  assert.equal(different.length, 0, `${different.length} differ\n${different.slice(0, 10).join('\n')}`);
}

let reference;
before(async () => ({ cold: reference } = await outcomes(CALL_PATHS[0], ENGINES.interpreted)));

describe('every call ends in the same way', { concurrency: 2 }, () => {
  // What is the same code on every call path is looked at in the first one.
  for (const [i, callPath] of CALL_PATHS.entries()) {
    const isFirst = i === 0;
    describe(`call path ${callPath}`, () => {
      test('optimised code ends every call as the interpreter does', async (t) => {
        const passes = await outcomes(callPath, [], 'optimized');
        assert.equal(Object.keys(passes).length, 3);
        for (const [pass, list] of Object.entries(passes)) assertEqual(list, reference, pass);
        t.diagnostic(`${reference.length} calls, three times each`);
      });

      if (i < byScale(1, CALL_PATHS.length)) {
        test('code that is optimised at once ends every call as the interpreter does', async () => {
          assertEqual((await outcomes(callPath, ENGINES['optimised early'])).cold, reference, 'optimised early');
        });
      }

      if (!isFirst) return;

      test('plain code, where none may be generated, ends every call as generated code does', async () => {
        assertEqual(
          (await outcomes(callPath, ['--disallow-code-generation-from-strings'])).cold,
          reference,
          'plain code',
        );
      });

      test('the guard changes no outcome but of writes that go over an end', async () => {
        const { cold } = await outcomes(callPath, [], 'cold', { PINNED_FFI_GUARD: '1' });
        const staysInside = ([call]) => !call.startsWith('over');
        assertEqual(cold.filter(staysInside), reference.filter(staysInside), 'guard');
      });
    });
  }
});

test('the calls return, resolve, throw and reject', () => {
  for (const start of [
    'returned',
    'resolved',
    'threw TypeError',
    'threw RangeError',
    'threw Error',
    'rejected, threw',
  ]) {
    const found = reference.filter(([, outcome]) => outcome.startsWith(start));
    assert.ok(found.length > byScale(5, 10), `${start}: ${found.length}`);
  }
  const codes = new Set(reference.map(([, outcome]) => / (ERR_\w+):/.exec(outcome)?.[1]));
  for (const code of [
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_VALUE',
    'ERR_OUT_OF_RANGE',
    'ERR_FFI_LIBRARY_CLOSED',
    'ERR_FFI_LIBRARY_BUSY',
    'ERR_FFI_CALLBACK_CLOSED',
    'ERR_FFI_BUFFER_OVERFLOW',
  ])
    assert.ok(codes.has(code), code);
});
