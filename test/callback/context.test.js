'use strict';
// AsyncLocalStorage: callbacks and what follows asynchronous calls run in the same context on every Node.

const assert = require('node:assert/strict');
const { AsyncLocalStorage, createHook, executionAsyncId } = require('node:async_hooks');
const { describe, test } = require('node:test');
const { ffi, gc, runs } = require('../helpers.js');

const SOURCE = `#include <pthread.h>
typedef int (*callback)(int);
static void *run(void *call) { return (void *)(long)((callback)call)(1); }
int on_thread(callback call) {
  pthread_t thread;
  void *result;
  return pthread_create(&thread, 0, run, (void *)call) || pthread_join(thread, &result) || (int)(long)result;
}
int detached(callback call) {
  pthread_t thread;
  return pthread_create(&thread, 0, run, (void *)call) || pthread_detach(thread);
}
int plainly(callback call) { return call(1); }`;
const { symbols: c, thread } = ffi.cc({
  library: 'pthread',
  source: SOURCE,
  symbols: {
    serving: { name: 'on_thread', args: ['function'], returns: 'int', threads: true },
    on_thread: { args: ['function'], returns: 'int' },
    detached: { args: ['function'], returns: 'int' },
    plainly: { args: ['function'], returns: 'int' },
  },
});

describe('a callback', () => {
  const storage = new AsyncLocalStorage();
  const seen = [];
  const make = (more) =>
    new ffi.JSCallback(
      (n) => {
        seen.push(storage.getStore());
        return n;
      },
      { args: ['int'], returns: 'int', ...more },
    );
  const made = storage.run('made', make);
  const plain = make();
  const last = async (run) => {
    seen.length = 0;
    await run();
    return seen[0];
  };

  test('a callback of a synchronous call runs in the context of the call', async () => {
    assert.equal(await last(() => storage.run('call', () => c.plainly(made))), 'call');
    assert.equal(await last(() => storage.run('call', () => c.serving(made))), 'call');
    assert.equal(await last(() => c.plainly(made)), undefined);
  });

  test('a callback of an asynchronous call runs in the context of the call', async () => {
    const own = thread();
    for (const call of [c.plainly.async, own.symbols.plainly]) {
      assert.equal(await last(() => storage.run('call', () => call(made))), 'call');
      assert.equal(await last(() => storage.run('call', () => call(plain))), 'call');
      assert.equal(await last(() => call(made)), undefined);
    }
    own.close();
  });

  test('a callback on a thread that C has started runs in the context in which it was made', async () => {
    for (const call of [c.on_thread.async, (callback) => c.detached(callback.ref())]) {
      for (const [callback, store] of [
        [made, 'made'],
        [plain, undefined],
      ]) {
        seen.length = 0;
        await storage.run('call', () => call(callback));
        while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        assert.deepEqual(seen, [store]);
        callback.unref();
      }
    }
  });

  test('a callback that returns a Promise, or for which C does not wait, has that context, too', async () => {
    const results = [];
    const slow = storage.run(
      'slow',
      () =>
        new ffi.JSCallback(
          async (n) => {
            await null;
            results.push(storage.getStore());
            return n;
          },
          { args: ['int'], returns: 'int' },
        ),
    );
    await storage.run('call', () => c.on_thread.async(slow));
    const queued = storage.run('queued', () => make({ threadsafe: true }));
    seen.length = 0;
    await storage.run('call', () => c.on_thread.async(queued));
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual([results, seen], [['slow'], ['queued']]);
  });
});

test('the code after an asynchronous call runs in its context', async () => {
  const storage = new AsyncLocalStorage();
  const seen = [];
  const callback = new ffi.JSCallback((n) => n, { args: ['int'], returns: 'int' });
  await storage.run('await', async () => {
    await c.on_thread.async(callback);
    seen.push(storage.getStore());
  });
  await storage.run('then', () => c.on_thread.async(callback).then(() => seen.push(storage.getStore())));
  callback.close();
  assert.deepEqual(seen, ['await', 'then']);
});

test('a process without any context has no store, though the queue was made in one', async () => {
  const said = await runs(`
    const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const { symbols: c } = ffi.cc({ library: 'pthread', source: ${JSON.stringify(SOURCE)}, symbols: {
      plainly: { args: ['function'], returns: 'int' } } });
    const seen = [];
    const callback = new ffi.JSCallback((n) => { seen.push(storage.getStore()); return n; }, { args: ['int'], returns: 'int' });
    (async () => {
      await storage.run('first', () => c.plainly.async(callback));
      await c.plainly.async(callback);
      console.log(seen.map(String).join());
    })();`);
  assert.equal(said, 'first,undefined');
});

// `jest --detectOpenHandles` reports resources that have no `destroy` event, unless their hasRef() is false.
test('hooks see each asynchronous call begin and end, and what keeps the process alive', async () => {
  const seen = new Map();
  const events = [];
  const hook = createHook({
    init: (id, type, _, resource) => type === 'PINNED_FFI' && seen.set(id, new WeakRef(resource)),
    before: (id) => seen.has(id) && events.push(['before', id]),
    after: (id) => seen.has(id) && events.push(['after', id]),
    destroy: (id) => seen.has(id) && events.push(['destroy', id]),
  }).enable();
  const refs = () => [...seen.values()].map((each) => each.deref()?.hasRef() ?? false);
  let inside;
  const callback = new ffi.JSCallback((n) => ((inside = executionAsyncId()), n), { args: ['int'], returns: 'int' });
  assert.deepEqual(refs(), [false]);
  callback.ref();
  assert.deepEqual(refs(), [true]);
  callback.unref();
  assert.deepEqual(refs(), [false]);
  c.plainly(callback);
  assert.deepEqual([events, inside], [[], executionAsyncId()], 'a synchronous call makes no resource');
  const call = c.plainly.async(callback);
  assert.deepEqual(refs(), [false, true]);
  await call;
  await new Promise((resolve) => setImmediate(resolve));
  const [made, called] = seen.keys();
  assert.deepEqual(events, [
    ['before', called],
    ['after', called],
    ['destroy', called],
  ]);
  assert.equal(inside, called);
  assert.deepEqual(refs(), [false, false]);
  callback.close();
  await gc(() => events.some(([event, id]) => event === 'destroy' && id === made));
  hook.disable();
});
