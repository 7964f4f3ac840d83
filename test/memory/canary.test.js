'use strict';
// A write outside of a block is found whatever its bytes are: text, constants, the fences of other blocks.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, run, runs, throws } = require('../helpers.js');
const { byScale } = require('../scale.js');

const ROUNDS = byScale(800, 6000);
const seed = String(Date.now() % 1_000_000);

describe('bytes written outside of a block are found whatever they are', () => {
  const paths = {
    'the V8 fast call': {},
    'the frame': { PINNED_FFI_CALL_PATH: 'generic' },
    libffi: { PINNED_FFI_CALL_PATH: 'libffi' },
    'Node-API': { PINNED_FFI_CALL_PATH: 'node-api' },
    'the guard': { PINNED_FFI_GUARD: '1' },
  };
  for (const [name, env] of Object.entries(paths)) {
    test(`a write outside of a block is found by ${name}: of an argument, a number, memory of alloc(), a text, and in an asynchronous call`, async (t) => {
      const result = await run({
        file: 'test/fixtures/overflows.js',
        args: [String(ROUNDS), 'argument', 'number', 'alloc', 'text', 'async'],
        env: { ...env, PINNED_FFI_TEST_SEED: seed },
        flags: ['--expose-gc', '--allow-natives-syntax'],
      });
      assert.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.stderr);
      const { written, missed, errors, left } = JSON.parse(result.stdout);
      t.diagnostic(`seed ${seed}: ${JSON.stringify({ missed })}`);
      assert.deepEqual(errors, ['ERR_FFI_BUFFER_OVERFLOW', 'ERR_FFI_BUFFER_UNDERFLOW']);
      assert.equal(left, 0, 'what a call did not find is not there');
      const total = (table, size) =>
        Object.entries(table)
          .filter(([key]) => key.endsWith(`, ${size}`))
          .reduce((sum, [, count]) => sum + count, 0);
      assert.equal(total(missed, '8 or more'), 0);
      for (const size of ['1', '2', '3', '4', '7'])
        assert.equal(missed[`zero, ${size}`] ?? 0, 0, 'a NUL is always found');
      // One in 256 of all single bytes; the bound leaves room for chance (six standard deviations).
      const expected = total(written, 1) / 256;
      assert.ok(
        total(missed, 1) <= expected + 6 * Math.sqrt(expected + 1),
        `${total(missed, 1)} single bytes were missed`,
      );
      assert.ok(total(missed, 2) <= 4 && total(missed, 3) + total(missed, 4) + total(missed, 7) <= 2);
    });
  }
});

describe('memcpy with a length that is too large for both blocks', () => {
  const { memcpy } = ffi.dlopen('c', { memcpy: { args: ['ptr', 'ptr', 'size_t'], returns: 'ptr' } }).symbols;

  /**
   * The error of a copy of `n` bytes. One byte, or two, may be those that are there already: then other blocks are
   * tried.
   */
  function errorOf(n, make) {
    for (let attempt = n < 105 ? 5 : 1; attempt > 1; attempt -= 1) {
      try {
        memcpy(make(), make(), n);
      } catch (error) {
        return error;
      }
    }
    return throws(() => memcpy(make(), make(), n), 'ERR_FFI_BUFFER_OVERFLOW');
  }

  test('memcpy with a length that is too large for both blocks is found at every length from one byte past the end to the end of the fence', () => {
    for (let n = 97; n <= 224; n++) {
      const { code, argument, byteLength } = errorOf(n, () => Buffer.alloc(96, n));
      assert.deepEqual([code, argument, byteLength], ['ERR_FFI_BUFFER_OVERFLOW', 0, 96]);
    }
  });

  test('memcpy with a length that is too large for both blocks is found where both are memory of alloc()', () => {
    for (let n = 97; n <= 224; n++) assert.equal(errorOf(n, () => ffi.alloc(96)).code, 'ERR_FFI_BUFFER_OVERFLOW');
  });
});

describe('memory in quarantine', () => {
  test('a copy from one block in quarantine to another is reported', async () => {
    const output = await runs(
      `
      const { copy_at: copy } = h.bind({ copy_at: { args: ['ptr', 'i64', 'ptr', 'i64', 'u64', 'u8'] } });
      const seen = [];
      process.on('warning', (warning) => seen.push([warning.found, warning.firstBadOffset]));
      (async () => {
        const addresses = (() => [0, 1].map(() => ffi.ptr(new Uint8Array(400))))();
        await h.gc(() => ffi.fences().quarantine.heldCount >= 2);
        copy(addresses[0], 100, addresses[1], 100, 50, 0);
        ffi.checkFences();
        await h.gc(() => seen.length > 0);
        console.log(JSON.stringify(seen[0]));
      })();`,
      { flags: ['--expose-gc'] },
    );
    const [found, firstBadOffset] = JSON.parse(output);
    assert.equal(found, 'quarantine');
    // The first bytes of the copy may happen to be the same.
    assert.ok(firstBadOffset >= 100 && firstBadOffset <= 102, `found at ${firstBadOffset}`);
  });
});
