'use strict';
// Asynchronous calls that a signal or a timeout gives up: the caller goes on, and so does C.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { ffi, fixture, throws } = require('../helpers.js');

const { symbols, ...library } = ffi.dlopen(fixture, {
  add_i32_later: { args: ['i32', 'i32', 'u32'], returns: 'i32' },
});
const memory = ffi.cc({
  source: `#include <unistd.h>
    void fill_later(unsigned char *bytes, int count, unsigned ms) { usleep(ms * 1000); for (int i = 0; i < count; i++) bytes[i] = 7; }`,
  symbols: { fill_later: { args: ['ptr', 'int', 'u32'] } },
}).symbols;

describe('with', () => {
  const { async: add } = symbols.add_i32_later;

  test('with() gives the result of a call that is not given up', async () => {
    assert.equal(await add.with({})(20, 22, 0), 42);
    assert.equal(await add.with({ timeout: 60_000, signal: new AbortController().signal })(20, 22, 1), 42);
    assert.equal(add.with({}).name, 'add_i32_later');
  });

  test('with() rejects with the reason of the signal while C goes on', async () => {
    const controller = new AbortController();
    const call = add.with({ signal: controller.signal })(1, 2, 50);
    const reason = new Error('given up');
    controller.abort(reason);
    await assert.rejects(call, (error) => error === reason);
  });

  test('with() takes a signal of another library, which may have no reason', async () => {
    const signal = Object.assign(new EventTarget(), { aborted: false });
    const call = add.with({ signal })(1, 2, 50);
    signal.aborted = true;
    signal.dispatchEvent(new Event('abort'));
    await assert.rejects(call, { name: 'AbortError' });
    await assert.rejects(add.with({ signal })(1, 2, 0), { name: 'AbortError' });
    await assert.rejects(add.with({ signal: AbortSignal.abort(null) })(1, 2, 0), (reason) => reason === null);
  });

  test('with() rejects with a TimeoutError after the timeout', async () => {
    await assert.rejects(add.with({ timeout: 1n })(1, 2, 200), { name: 'TimeoutError' });
  });

  test('with() calls nothing where the signal is aborted already', async () => {
    const bytes = Buffer.alloc(96);
    const call = memory.fill_later.async.with({ signal: AbortSignal.abort() })(bytes, 96, 0);
    await assert.rejects(call, { name: 'AbortError' });
    await sleep(20);
    assert.equal(bytes[0], 0);
  });

  test('with() keeps the arguments of a call that was given up until C has returned', async () => {
    const bytes = new Uint8Array(new ArrayBuffer(96));
    await assert.rejects(memory.fill_later.async.with({ timeout: 1 })(bytes, 96, 100), { name: 'TimeoutError' });
    // Node 20 copies what may not be transferred; the others refuse.
    try {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    } catch (error) {
      assert.ok(['DataCloneError', 'TypeError'].includes(error.name), String(error));
    }
    assert.equal(bytes.length, 96);
    const end = Date.now() + 20_000;
    while (bytes[95] !== 7 && Date.now() < end) await sleep(5);
    assert.equal(bytes[95], 7);
  });

  test('with() leaves no listener behind, and no rejection without a handler', async () => {
    const controller = new AbortController();
    const failing = ffi.dlopen(null, {
      chdir: { args: ['cstring'], returns: 'int', fails: 'negative' },
    }).symbols.chdir.async;
    await assert.rejects(failing.with({ signal: controller.signal })('/no/such/folder'), { code: 'ENOENT' });
    await add.with({ signal: controller.signal })(1, 2, 0);
    controller.abort();
    const given = failing
      .with({ timeout: 0 })('/no/such/folder')
      .catch(() => {});
    await given;
    await sleep(20);
  });

  test('with() is there for the functions of a thread', async () => {
    const thread = library.thread();
    const call = thread.symbols.add_i32_later.with({ timeout: 1 })(1, 2, 60);
    await assert.rejects(call, { name: 'TimeoutError' });
    assert.equal(await thread.symbols.add_i32_later(20, 22, 0), 42);
    thread.close();
  });

  test('with() checks its options and the arguments', async () => {
    throws(() => add.with({ signal: {} }), 'ERR_INVALID_ARG_TYPE', /options\.signal must be an AbortSignal/);
    throws(() => add.with({ timeout: -1 }), 'ERR_OUT_OF_RANGE', /milliseconds/);
    throws(() => add.with({ time: 1 }), 'ERR_INVALID_ARG_VALUE', /unknown key 'time'/);
    throws(() => add.with(5), 'ERR_INVALID_ARG_TYPE');
    await assert.rejects(add.with({ timeout: 1 })('x', 1, 0), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
