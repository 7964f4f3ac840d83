'use strict';
// Calls at the end of the stack: each goes to C once, or throws before it; and the next call is not made twice.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const SWEEP = `
const F = ffi.fn({ args: ['int'], returns: 'int' });
const P = ffi.struct({ x: 'f64', y: 'f64', p: 'ptr' });
const source = \`
#include <stdint.h>
#include <stddef.h>
static int n;
struct p { double x, y; void *p; };
int *place(void) { return &n; }
int none(void) { return ++n; }
int one(int a) { return ++n; }
int64_t wide(int64_t a) { return ++n; }
int pointer(void *p) { return ++n; }
int text(const char *p) { return ++n; }
const char *says(void) { ++n; return "text"; }
const char *long_text(void) { ++n; return "a text that is longer than what is brought along at once"; }
int64_t fast(int64_t a) { ++n; return a; }
void *back(void *p) { ++n; return p; }
struct p by_value(struct p a) { ++n; return a; }
int calls(int (*f)(int), int a) { ++n; return f(a); }
int calls_none(int (*f)(int), int a) { return ++n; }
int hot(void) { return ++n; }
\`;
const file = require(h.root + '/lib/cc/compile.js').compile({ source, symbols: {} });
const { symbols: kept } = ffi.dlopen(file, { place: { returns: 'ptr' } });
const open = () => ffi.dlopen(file, {
  none: { returns: 'int' }, one: { args: ['int'], returns: 'int' }, wide: { args: ['i64'], returns: 'i64' },
  pointer: { args: ['ptr'], returns: 'int' }, text: { args: ['cstring'], returns: 'int' }, says: { returns: 'cstring' },
  long_text: { returns: 'cstring' }, fast: { args: ['i64_fast'], returns: 'i64_fast' }, back: { args: ['ptr'], returns: 'ptr' },
  by_value: { args: [P], returns: P }, calls: { args: [F, 'int'], returns: 'int' },
  calls_none: { args: [F, 'int'], returns: 'int' },
  guarded: { name: 'pointer', args: ['ptr'], returns: 'int', guard: true },
  failing: { name: 'one', args: ['int'], returns: 'int', fails: 'negative' },
  hot: { returns: 'int' },
}).symbols;
// Read without a call.
const counter = new Int32Array(ffi.toArrayBuffer(kept.place(), 0, 4));
const buffer = Buffer.alloc(64);
const slice = Buffer.from('a slice of a slab');
const callback = (n) => n;
const OPERATIONS = {
  none: (s) => () => s.none(), one: (s) => () => s.one(1), wide: (s) => () => s.wide(1n), pointer: (s) => () => s.pointer(buffer),
  slice: (s) => () => s.pointer(slice), text: (s) => () => s.text('text'), unicode: (s) => () => s.text('t\\u20acxt'),
  says: (s) => () => s.says(), long_text: (s) => () => s.long_text(), fast: (s) => () => s.fast(2 ** 40),
  back: (s) => () => s.back(4096), by_value: (s) => () => s.by_value({ x: 1, y: 2, p: null }), calls: (s) => () => s.calls(callback, 1),
  calls_none: (s) => () => s.calls_none(callback, 1), guarded: (s) => () => s.guarded(buffer), failing: (s) => () => s.failing(1),
  wrong: (s) => () => s.one('x'),
};
const hots = open();
const hot = () => hots.hot();
h.tryOptimize(hot, hot, 5);

let level;
let target;
let run;
let how;
let thrown;
let made;
/** Goes down to the end of the stack, and runs the operation on the way back, so many levels above it. */
function climb() {
  try {
    climb();
  } catch {
    // It is the end.
  }
  if (level++ !== target) return;
  const before = counter[0];
  how = 2;
  try {
    run();
    how = 1;
  } catch (error) {
    thrown = error;
  }
  made = counter[0] - before;
}
// To compile takes more stack than all the rest.
for (let i = 0; i < 3; i += 1) {
  const first = open();
  for (const make of Object.values(OPERATIONS)) {
    try { make(first)(); } catch {}
  }
}
const wrong = [];
let threw = 0;
let returned = 0;
for (target = 0; target < 120; target += ${byScale(6, 1)}) {
  const fresh = open();
  for (const [name, make] of Object.entries(OPERATIONS)) {
    for (let round = 0; round < 2; round += 1) {
      run = make(fresh);
      [level, how, made] = [0, 0, 0];
      climb();
      if (how === 1) returned += 1;
      else if (name === 'wrong' || thrown instanceof RangeError) threw += 1;
      else wrong.push([name, target, String(thrown)]);
      if (made > 1 || (how === 1 && made !== 1)) wrong.push([name, target, how, made]);
      const then = counter[0];
      hot();
      if (counter[0] - then !== 1) wrong.push(['the next call after ' + name, target, how, counter[0] - then]);
    }
  }
}
console.log(JSON.stringify({ wrong: wrong.slice(0, 10), threw, returned }));
process.exit();
`;

describe('a call at the end of the stack is made once or not at all, and so is the next one', () => {
  for (const callPath of [undefined, 'generic', 'node-api']) {
    test(`a call at the end of the stack is made once or not at all by ${callPath ?? 'the usual path'}, and so is the next one`, async (t) => {
      const { wrong, threw, returned } = JSON.parse(
        await runs(SWEEP, { env: { PINNED_FFI_CALL_PATH: callPath }, timeout: 120_000 }),
      );
      t.diagnostic(`${threw} threw, ${returned} returned`);
      assert.deepEqual(wrong, []);
      assert.ok(Math.min(threw, returned) > byScale(60, 100), `${threw} threw, ${returned} returned`);
    });
  }
});
