'use strict';
// JavaScript that runs in the middle of a call changes nothing of it: getters and traps of its arguments that call C
// themselves, and an inspector that evaluates calls wherever V8 lets it.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');
const { byTag } = require('../../lib/types/registry.js');

const { array, enumeration, fn, inout, pointer, struct, union } = ffi;

/** Every type that an argument may have, with the type that C gives it. */
const pair = struct({ x: 'i32', p: 'ptr', f: fn({ args: ['i32'], returns: 'i32' }) });
const C_OF = {
  i64_fast: 'int64_t',
  u64_fast: 'uint64_t',
  f32: 'float',
  f64: 'double',
  ptr: 'void *',
  cstring: 'const char *',
  function: 'void *',
  buffer: 'void *',
  buffer_length: 'size_t',
  long: 'long',
  'unsigned long': 'unsigned long',
  wchar_t: 'wchar_t',
  char: 'char',
  bool: '_Bool',
};
const descriptors = [];
for (let tag = 0; byTag(tag) !== undefined; tag += 1) descriptors.push(byTag(tag));
const names = descriptors.filter((row) => row.refused === undefined && row.name !== 'void').map(({ name }) => name);
const TYPES = [
  ...names.map((name) => [name, C_OF[name] ?? `${name.replace(/^i/, 'int').replace(/^u/, 'uint')}_t`]),
  ['utf16', 'void *'],
  ['wstring', 'void *'],
  [pointer('i32'), 'void *'],
  [pointer(pair), 'void *'],
  [enumeration({ A: 1 }), 'int'],
  [fn({ args: ['i32'], returns: 'i32' }), 'void *'],
  [fn({ args: [pair] }), 'void *'],
  [pair, 'struct pair'],
  [union({ a: 'i32', b: 'f64' }), 'union both'],
  [struct({ l: array('i32', 3) }), 'struct list'],
  [inout('i32'), 'void *'],
  [inout(pair), 'void *'],
];
const TRAPS = [
  'apply',
  'construct',
  'defineProperty',
  'deleteProperty',
  'get',
  'getOwnPropertyDescriptor',
  'getPrototypeOf',
  'has',
  'isExtensible',
  'ownKeys',
  'preventExtensions',
  'set',
  'setPrototypeOf',
];

const { symbols: c } = ffi.cc({
  source: `#include <stddef.h>
#include <stdint.h>
#include <wchar.h>
struct pair { int x; void *p; void *f; };
union both { int a; double b; };
struct list { int l[3]; };
int many(int a, int b, int c, int d, int e, int f) { return a + b + c + d + e + f; }
${TYPES.map(([, type], i) => `int probe${i}(int a, ${type} value, int b) { return a * 1000 + b; }`).join('\n')}`,
  symbols: {
    many: { args: Array(6).fill('int'), returns: 'int' },
    ...Object.fromEntries(TYPES.map(([type], i) => [`probe${i}`, { args: ['int', type, 'int'], returns: 'int' }])),
    ...Object.fromEntries(
      TYPES.map(([type], i) => [
        `wrapped${i}`,
        { name: `probe${i}`, args: ['int', type, 'int'], returns: 'int', wrap: true },
      ]),
    ),
  },
});

/** A value whose every trap calls C, in front of `target`; `count` tells how often. */
function trapped(target) {
  let calls = 0;
  const call = () => {
    calls += 1;
    c.many(91, 92, 93, 94, 95, 96);
    try {
      c.many(81, 82, 83, 84, 85, 'x');
    } catch {
      // It was half written.
    }
  };
  const handler = Object.fromEntries(
    TRAPS.map((trap) => [
      trap,
      (...values) => {
        call();
        return Reflect[trap](...values);
      },
    ]),
  );
  return { value: new Proxy(target, handler), call, calls: () => calls };
}

/** The values that may run a program's code when they are passed. */
function values() {
  const given = [];
  const add = (target) => given.push(trapped(target).value);
  add((n) => n);
  add({ x: 1, p: null, f: null });
  add({ a: 1 });
  add({ l: [1, 2, 3] });
  add({ ptr: 0 });
  add([1, 2, 3]);
  add(new Uint8Array(64));
  const { call } = trapped({});
  const named = Object.defineProperty((n) => n, 'name', {
    get() {
      call();
      return 'f';
    },
  });
  given.push(named);
  given.push({
    get x() {
      call();
      return 1;
    },
    get p() {
      call();
      return null;
    },
    get f() {
      call();
      return named;
    },
  });
  given.push({
    valueOf() {
      call();
      return 1;
    },
    get ptr() {
      call();
      return 0;
    },
  });
  given.push({
    [Symbol.toPrimitive]() {
      call();
      return 1;
    },
  });
  given.push(
    Object.defineProperties(
      new Uint8Array(64),
      Object.fromEntries(
        ['buffer', 'byteLength', 'byteOffset', 'length', 'ptr', 'constructor'].map((key) => [
          key,
          {
            get() {
              call();
              return undefined;
            },
          },
        ]),
      ),
    ),
  );
  return given;
}

describe('a value that calls C when it is looked at changes no other argument', () => {
  let all = 0;
  for (const [i, [type]] of TYPES.entries()) {
    const name = typeof type === 'string' ? type : `declared type ${i}`;
    test(`a value of ${name} that calls C when it is looked at changes no other argument`, async () => {
      let passed = 0;
      for (const kind of ['probe', 'wrapped']) {
        for (const value of values()) {
          for (const way of ['sync', 'async']) {
            let result;
            try {
              result = way === 'sync' ? c[kind + i](1, value, 2) : await c[kind + i].async(1, value, 2);
            } catch {
              continue;
            }
            passed += 1;
            assert.equal(result.returns ?? result, 1002);
          }
        }
      }
      all += passed;
    });
  }

  test('every kind of value was interrupted', () => assert.ok(all > 100, `${all} calls`));
});

/** Calls of every kind, of which an inspector's evaluations make some as well, with other values. */
const INSPECTED = `
const { Worker } = require('node:worker_threads');
const pair = ffi.struct({ a: 'i64', b: 'i32', c: 'i32' });
const mixed = ffi.struct({ a: 'i64', l: ffi.array('i32', 2) });
const { symbols: s } = ffi.cc({ source: \`#include <stdint.h>
#include <string.h>
struct pair { int64_t a; int32_t b, c; };
struct mixed { int64_t a; int32_t l[2]; };
static char text[2][16] = { "first", "second" };
int64_t sum8(int a, int b, int c, int d, int64_t e, int64_t f, int64_t g, int64_t h) {
  return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g + 10000000 * h; }
struct pair both(int64_t a, int32_t b, int32_t c) { struct pair p = { a, b, c }; return p; }
int64_t of(struct mixed m, int n) { return m.a * 10000 + m.l[0] * 100 + m.l[1] * 10 + n; }
struct mixed back(int64_t a, int b) { struct mixed m = { a, { b, b } }; return m; }
void *same(void *p) { return p; }
int64_t fast(int64_t n) { return n; }
const char *say(int which) { return text[which]; }
int first(const void *p, int n) { return *(const int *)p * 10 + n; }
int call(int (*f)(int, int), int a, int b) { return f(a, b); }
struct mixed callmixed(struct mixed (*f)(struct mixed, int), int64_t a, int b) { struct mixed m = { a, { b, b } }; return f(m, b); }
\`, symbols: {
  sum8: { args: ['i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i64', 'i64'], returns: 'i64' },
  both: { args: ['i64', 'i32', 'i32'], returns: pair }, of: { args: [mixed, 'i32'], returns: 'i64' },
  back: { args: ['i64', 'i32'], returns: mixed }, same: { args: ['ptr'], returns: 'ptr' },
  fast: { args: ['i64_fast'], returns: 'i64_fast' }, say: { args: ['i32'], returns: 'cstring' },
  first: { args: ['ptr', 'i32'], returns: 'i32' },
  call: { args: ['function', 'i32', 'i32'], returns: 'i32' },
  callmixed: { args: ['function', 'i64', 'i32'], returns: mixed } } });
const memory = Int32Array.of(7, 8);
const other = Int32Array.of(5);
const at = ffi.ptr(memory);
const sum = new ffi.JSCallback((a, b) => a * 10 + b, { args: ['i32', 'i32'], returns: 'i32' }).ptr;
const twist = new ffi.JSCallback((m, n) => ({ a: m.a, l: [m.l[1], n] }), { args: [mixed, 'i32'], returns: mixed }).ptr;
const is = (value, wanted) => { if (value !== wanted) wrong.push(String(value) + ' for ' + wanted); };
const wrong = [];
const calls = (k) => [
  () => is(s.sum8(k, k, k, k, k, k, k, k), BigInt(k) * 11111111n),
  () => { const p = s.both(k, k + 1, k + 2); is(Number(p.a) * 100 + p.b * 10 + p.c, k * 111 + 12); },
  () => is(s.of({ a: k, l: [k, k] }, k), BigInt(k * 10111)),
  () => { const p = s.back(k, k); is(Number(p.a) * 100 + p.l[0] * 10 + p.l[1], k * 111); },
  () => is(s.same(k * 65536), k * 65536),
  () => is(s.fast(k * 65537), k * 65537),
  () => is(s.say(k & 1), k & 1 ? 'second' : 'first'),
  () => is(s.first(k & 1 ? memory : other, k), (k & 1 ? 70 : 50) + k),
  () => is(s.call(sum, k, k), k * 11),
  () => { const m = s.callmixed(twist, k, k); is(Number(m.a) * 100 + m.l[0] * 10 + m.l[1], k * 111); },
  () => is(ffi.read.i32(at, (k & 1) * 4), k & 1 ? 8 : 7),
];
const ours = calls(1);
const theirs = calls(8);
let evaluations = 0;
globalThis.evaluated = () => { evaluations += 1; theirs[evaluations % theirs.length](); };
const code = \`
const { Session } = require('node:inspector');
const { parentPort } = require('node:worker_threads');
const session = new Session();
session.connectToMainThread();
parentPort.postMessage('ready');
// As many at a time as a slow machine can serve.
let waiting = 0;
const post = (then) => {
  waiting += 1;
  session.post('Runtime.evaluate', { expression: 'globalThis.evaluated(); 0' }, () => { waiting -= 1; then?.(); });
};
const go = () => post(() => setImmediate(go));
go();
setInterval(() => { for (let i = 0; i < 20 && waiting < 100; i += 1) post(); }, 1);
\`;
const worker = new Worker(code, { eval: true });
worker.once('message', () => {
  const end = Date.now() + ${byScale(150, 2500)};
  // A busy machine takes longer until there are enough evaluations.
  const isEnough = () => Date.now() >= end && (evaluations > 100 || Date.now() >= end + 10_000);
  let made = 0;
  while (!isEnough() && wrong.length === 0) for (let i = 0; i < 50; i += 1) { made += 1; ours[made % ours.length](); }
  console.log(JSON.stringify({ made, evaluations, wrong }));
  process.exit(0);
});
`;

describe('what an inspector evaluates in the middle of a call changes nothing of it', () => {
  for (const [how, options] of Object.entries({
    'as usual': {},
    'by the generic call': { env: { PINNED_FFI_CALL_PATH: 'generic' } },
    'by Node-API': { env: { PINNED_FFI_CALL_PATH: 'node-api' } },
    'not optimised': { flags: ['--no-opt'] },
    'without generated code': { flags: ['--disallow-code-generation-from-strings'] },
    'under the guard': { env: { PINNED_FFI_GUARD: '1' }, flags: ['--no-opt'] },
  })) {
    test(`code that an inspector evaluates in the middle of a call changes nothing of it, ${how}`, async (t) => {
      const { made, evaluations, wrong } = JSON.parse(await runs(INSPECTED, options));
      t.diagnostic(`${made} calls, ${evaluations} evaluations`);
      assert.ok(evaluations > 100, `${evaluations} evaluations`);
      assert.deepEqual(wrong, []);
    });
  }
});

/**
 * Calls of a callback, in whose handler the condition of a breakpoint makes a call right after the arguments were read:
 * once for each read, up to twice for each call.
 */
const DISTURBED = `
const { Session } = require('node:inspector');
const { call_i32: call, add_i32: add } = h.bind({
  call_i32: { args: ['function', 'i32'], returns: 'i32' }, add_i32: { args: ['i32', 'i32'], returns: 'i32' } });
const callback = new ffi.JSCallback((value) => value * 2, { args: ['i32'], returns: 'i32' });
call(callback, 1);
let left = 0;
globalThis.disturb = () => { if (left > 0) { left -= 1; add(1000, 337); } };
const session = new Session();
session.connect();
const scripts = [];
session.on('Debugger.scriptParsed', ({ params }) => scripts.push(params));
session.post('Debugger.enable');
let breakpoints = 0;
for (const { scriptId } of scripts.filter(({ url }) => /^pinned-ffi:callback|callback.handler\\.js$/.test(url))) {
  session.post('Debugger.getScriptSource', { scriptId }, (error, { scriptSource }) => {
    scriptSource.split('\\n').forEach((line, lineNumber) => {
      if (!/^ *if \\(words\\[\\w+\\] < 0\\)/.test(line)) return;
      const location = { scriptId, lineNumber, columnNumber: line.indexOf('if') };
      session.post('Debugger.setBreakpoint', { location, condition: '(disturb(), false)' }, (fault) => {
        if (!fault) breakpoints += 1;
      });
    });
  });
}
(async () => {
  const results = [];
  left = 2;
  results.push(call(callback, 21), left);
  left = 2;
  results.push(await call.async(callback, 23), left);
  callback.close();
  console.log(breakpoints > 0, ...results);
})();
`;

describe('a callback whose arguments were overwritten before it has read them reads them again', () => {
  for (const [how, options] of Object.entries({
    'as usual': {},
    'by Node-API': { env: { PINNED_FFI_CALL_PATH: 'node-api' } },
    'without generated code': { flags: ['--disallow-code-generation-from-strings'] },
  })) {
    test(`a callback reads its arguments again after other code has overwritten them, ${how}`, async () => {
      assert.equal(await runs(DISTURBED, { ...options, timeout: 20_000 }), 'true 42 0 46 0');
    });
  }
});
