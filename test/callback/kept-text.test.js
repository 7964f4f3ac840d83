'use strict';
// Text that a callback returns stays readable while C may hold it: C code that asks for several and compares them.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, gc } = require('../helpers.js');

const { symbols: c } = ffi.cc({
  library: 'pthread',
  source: `#include <string.h>
#include <pthread.h>
#include <stdlib.h>
typedef const char *(*getter)(int);
int greatest(getter get, int n) {
  const char *best = get(0);
  int at = 0;
  for (int i = 1; i < n; i++) {
    const char *text = get(i);
    if (strcmp(text, best) > 0) { best = text; at = i; }
  }
  return best[0] ? at : -1;
}
static const char *table[5000];
int all_there(getter get, int n) {
  for (int i = 0; i < n; i++) table[i] = get(i);
  int right = 0;
  for (int i = 0; i < n; i++) right += table[i][0] == 'a' + i % 26;
  return right;
}
struct task { getter get; int result; };
static void *pairs(void *data) {
  struct task *task = data;
  for (int i = 0; i < 200; i++) {
    const char *a = task->get(i), *b = task->get(i + 1);
    if (a[0] != 'a' + i % 26 || b[0] != 'a' + (i + 1) % 26) task->result++;
  }
  return 0;
}
int on_threads(getter get) {
  pthread_t threads[4];
  struct task tasks[4] = { { get, 0 }, { get, 0 }, { get, 0 }, { get, 0 } };
  int wrong = 0;
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, pairs, &tasks[i]);
  for (int i = 0; i < 4; i++) { pthread_join(threads[i], 0); wrong += tasks[i].result; }
  return wrong;
}
struct named { int n; const char *name; };
int structs(struct named (*get)(int), int n) {
  struct named all[2000];
  for (int i = 0; i < n; i++) all[i] = get(i);
  int right = 0;
  for (int i = 0; i < n; i++) right += all[i].name[0] == 'a' + i % 26;
  return right;
}`,
  symbols: {
    greatest: { args: ['function', 'int'], returns: 'int' },
    all_there: { args: ['function', 'int'], returns: 'int' },
    on_threads: { args: ['function'], returns: 'int', threads: true },
    pool: { name: 'on_threads', args: ['function'], returns: 'int' },
    serving: { name: 'all_there', args: ['function', 'int'], returns: 'int', threads: true },
    structs: { args: ['function', 'int'], returns: 'int' },
  },
});
const Named = ffi.struct({ n: 'int', name: 'cstring' });
const letter = (n) => String.fromCharCode(97 + (n % 26));
const text = (n) => letter(n).repeat(3000);

describe('text that a callback returns', () => {
  const callback = new ffi.JSCallback(text, { args: ['int'], returns: 'cstring' });
  const views = new ffi.JSCallback((n) => Buffer.from(`${text(n)}\0`), { args: ['int'], returns: 'ptr' });
  const structs = new ffi.JSCallback((n) => ({ n, name: text(n) }), { args: ['int'], returns: Named });

  test('text that a callback returns is there until the call has returned', () => {
    for (let round = 0; round < 5; round += 1) {
      assert.equal(c.greatest(callback, 26), 25);
      assert.equal(c.all_there(callback, 2000), 2000);
      assert.equal(c.all_there(views, 2000), 2000);
      assert.equal(c.structs(structs, 2000), 2000);
    }
  });

  test('text that a callback returns is there until the outermost call has returned', () => {
    const nested = new ffi.JSCallback(
      (n) => {
        assert.equal(c.all_there(callback, 10), 10);
        return text(n);
      },
      { args: ['int'], returns: 'cstring' },
    );
    assert.equal(c.all_there(nested, 500), 500);
    nested.close();
  });

  test('text that a callback returns is there until an asynchronous call is done, and until one that serves threads has returned', async () => {
    assert.equal(await c.all_there.async(callback, 2000), 2000);
    assert.equal(c.serving(callback, 2000), 2000);
  });

  test('text that a callback returns is there on each of several threads until the one after the next', async () => {
    for (let round = 0; round < 3; round += 1) {
      assert.equal(c.on_threads(callback), 0);
      assert.equal(await c.pool.async(callback), 0);
    }
  });

  test('text that a callback returns is not kept once the call has returned', async () => {
    let living = 0;
    const registry = new FinalizationRegistry(() => {
      living -= 1;
    });
    const collected = new ffi.JSCallback(
      (n) => {
        const buffer = Buffer.from(`${text(n)}\0`);
        living += 1;
        registry.register(buffer);
        return buffer;
      },
      { args: ['int'], returns: 'ptr' },
    );
    for (let i = 0; i < 20; i += 1) assert.equal(c.all_there(collected, 10), 10);
    assert.equal(await c.all_there.async(collected, 100), 100);
    assert.equal(living > 0, true);
    await gc(() => living === 0);
    collected.close();
  });
});
