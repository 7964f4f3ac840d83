'use strict';
// The channels of node:diagnostics_channel: libraries that are opened and closed, breached fences.

const assert = require('node:assert/strict');
const diagnostics = require('node:diagnostics_channel');
const { describe, test } = require('node:test');
const { ffi, fixture, optimize, run } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

/** Runs `code` and gives what was published meanwhile. */
async function published(name, code) {
  const messages = [];
  const listener = (message) => messages.push(message);
  diagnostics.subscribe(`pinned-ffi:${name}`, listener);
  try {
    await code();
  } finally {
    diagnostics.unsubscribe(`pinned-ffi:${name}`, listener);
  }
  return messages;
}

const MEMSET = 'void *memset(void *bytes, int byte, size_t length);';

/** Runs a call that overflows; gives the error. */
async function overflow(call) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.code, 'ERR_FFI_BUFFER_OVERFLOW');
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('diagnostics channels', () => {
  test('diagnostics channels publish that a library is opened, and once that it is closed', async () => {
    const open = await published('library:open', () => {
      ffi.dlopen(fixture, {}).close();
      ffi.dlopen(null, {}).close();
    });
    assert.deepEqual(open, [
      { path: fixture, name: fixture },
      { path: null, name: null },
    ]);
    const closed = await published('library:close', () => {
      const library = ffi.dlopen(fixture, {});
      library.close();
      library.close();
    });
    assert.deepEqual(closed, [{ path: fixture }]);
  });

  test('diagnostics channels publish nothing for a library that cannot be opened, or for functions by address', async () => {
    const open = await published('library:open', () => {
      assert.throws(() => ffi.dlopen('nonesuch', {}));
      ffi.linkSymbols({ f: { ptr: ffi.dlopen(null, { abs: {} }).symbols.abs.ptr } }).close();
    });
    assert.equal(open.length, 1);
  });

  test(
    'diagnostics channels publish a breach with the error that the call throws',
    { skip: onlyOn('fences') },
    async () => {
      const { symbols } = ffi.dlopen(null, MEMSET);
      const calls = [
        () => symbols.memset(Buffer.alloc(8), 65, 20),
        () => symbols.memset.async(Buffer.alloc(8), 65, 20),
      ];
      for (const call of calls) {
        let thrown;
        const [message, ...more] = await published('fence:breach', async () => (thrown = await overflow(call)));
        assert.deepEqual(more, []);
        const { error, ...rest } = message;
        assert.equal(error, thrown);
        assert.deepEqual(rest, {
          code: 'ERR_FFI_BUFFER_OVERFLOW',
          found: 'call',
          symbol: 'memset',
          argument: 0,
          byteLength: 8,
          firstBadOffset: 8,
          bytesPast: 12,
        });
      }
    },
  );

  test('diagnostics channels publish a breach of optimised code', { skip: onlyOn('fences') }, async () => {
    const { memset } = ffi.dlopen(null, MEMSET).symbols;
    const buffer = Buffer.alloc(8);
    const fill = (length) => memset(buffer, 65, length);
    optimize(fill, () => fill(8));
    assert.equal((await published('fence:breach', () => overflow(() => fill(9)))).length, 1);
  });

  test(
    'diagnostics channels publish a breach that is found late, with its warning',
    { skip: onlyOn('fences') },
    async () => {
      const { memset } = ffi.dlopen(null, MEMSET).symbols;
      const buffer = Buffer.alloc(64);
      memset(ffi.ptr(buffer) + 65, 65, 8);
      const warned = new Promise((resolve) => process.once('warning', resolve));
      const [{ found, error, byteLength }] = await published('fence:breach', () => ffi.checkFences());
      assert.deepEqual([found, byteLength], ['checked', 64]);
      assert.equal(await warned, error);
    },
  );

  test('a subscriber that throws changes nothing for the call', { skip: onlyOn('fences') }, async () => {
    const { code, stdout } = await run({
      code: `
        const { memset } = ffi.dlopen(null, ${JSON.stringify(MEMSET)}).symbols;
        require('node:diagnostics_channel').subscribe('pinned-ffi:fence:breach', () => { throw new Error('boom'); });
        process.on('uncaughtException', ({ message }) => console.log('uncaught', message));
        try { memset(Buffer.alloc(8), 65, 20); } catch (error) { console.log(error.code); }`,
    });
    assert.deepEqual([code, stdout], [0, 'ERR_FFI_BUFFER_OVERFLOW\nuncaught boom\n']);
  });
});
