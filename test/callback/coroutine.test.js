'use strict';
// C that calls back from where JavaScript cannot run, and C that ends the process.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { run, runs } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const COROUTINE = `
const source = \`
#include <ucontext.h>
#include <stdlib.h>
typedef int (*callback)(int);
static ucontext_t here, there;
static callback called;
static int result, times;
static void body(void) { for (int i = 0; i < times; i++) result = called(21); swapcontext(&there, &here); }
int on_coroutine(callback call, int n) {
  void *stack = malloc(1 << 20);
  called = call; times = n; result = -1;
  getcontext(&there);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = 1 << 20;
  there.uc_link = &here;
  makecontext(&there, body, 0);
  swapcontext(&here, &there);
  free(stack);
  return result;
}
int plainly(callback call) { return call(21); }
\`;
const { symbols } = ffi.cc({ source, symbols: {
  on_coroutine: { args: ['function', 'int'], returns: 'int' },
  with_plain: { name: 'on_coroutine', args: [ffi.fn({ args: ['int'], returns: 'int' }), 'int'], returns: 'int' },
  plainly: { args: ['function'], returns: 'int' } } });
let calls = 0;
const cb = new ffi.JSCallback(function twice(n) { calls += 1; return 2 * n; }, { args: ['int'], returns: 'int' });
const attempt = (run) => { try { return run(); } catch (error) { return error.code + ' ' + error.message; } };
`;

describe('a callback on the stack of a coroutine', { skip: onlyOn('linux') }, () => {
  for (const callPath of [undefined, 'node-api']) {
    for (const where of ['the main thread', 'a worker']) {
      test(`a callback on the stack of a coroutine is refused by an exception out of the call, on ${where}, by ${callPath ?? 'the usual path'}`, async () => {
        const body = `${COROUTINE}
          const said = [attempt(() => symbols.on_coroutine(cb, 3)), attempt(() => symbols.with_plain((n) => n, 1)), calls,
            symbols.plainly(cb), calls];
          console.log(JSON.stringify(said));`;
        const said = await runs(
          where === 'a worker'
            ? `new (require('node:worker_threads').Worker)(${JSON.stringify(
                `const h = require(${JSON.stringify(require.resolve('../helpers.js'))}); const { ffi } = h; ${body}`,
              )}, { eval: true });`
            : body,
          { env: { PINNED_FFI_CALL_PATH: callPath } },
        );
        const [first, second, before, plain, after] = JSON.parse(said);
        assert.match(
          first,
          /^ERR_FFI_CALLBACK_STACK on_coroutine: JSCallback twice was called on a stack that is not the thread's/,
        );
        assert.match(
          second,
          /^ERR_FFI_CALLBACK_STACK with_plain: a function passed to with_plain: argument 0 was called/,
        );
        assert.deepEqual([before, plain, after], [0, 42, 1]);
      });
    }
  }
});

describe('C that jumps over JavaScript', { skip: onlyOn('linux') }, () => {
  for (const callPath of [undefined, 'node-api']) {
    test(`longjmp() out of a call that a callback made ends the process with a message, by ${callPath ?? 'the usual path'}`, async () => {
      const { signal, stdout, stderr } = await run({
        code: `
          const { symbols } = ffi.cc({ source: \`#include <setjmp.h>
            static jmp_buf start;
            int run(int (*callback)(int)) { return setjmp(start) ? -1 : callback(1); }
            int jump(int value) { longjmp(start, value); }
            int jump_inside(int value) { return setjmp(start) ? value : jump(1); }\`,
            symbols: { run: { args: ['function'], returns: 'int' }, jump: { args: ['int'], returns: 'int' },
              jump_inside: { args: ['int'], returns: 'int' } } });
          const inside = new ffi.JSCallback((n) => symbols.jump_inside(n + 1), { args: ['int'], returns: 'int' });
          console.log(symbols.run(inside));
          const out = new ffi.JSCallback((n) => symbols.jump(n), { args: ['int'], returns: 'int' });
          console.log('never', symbols.run(out));`,
        env: { PINNED_FFI_CALL_PATH: callPath },
      });
      assert.deepEqual({ signal, stdout }, { signal: 'SIGABRT', stdout: '2\n' }, stderr);
      assert.match(stderr, /pinned-ffi: run: C has jumped \(longjmp, or an exception\) out of a call/);
    });
  }
});

describe('exit() of C', () => {
  for (const [how, call] of Object.entries({
    'a synchronous call': 's.leave(7)',
    'an asynchronous call': 's.leave.async(7)',
    'a call that serves threads': 's.threads(7)',
    'a thread': 'thread().symbols.leave(7)',
  })) {
    test(`exit() of C from ${how} ends the process with its code, and what is registered runs`, async () => {
      const said = await runs(
        `
        const { symbols: s, thread } = ffi.cc({ source: \`#include <stdlib.h>
#include <stdio.h>
static void late(void) { printf("registered"); }
void leave(int code) { atexit(late); printf("buffered "); exit(code); }\`, symbols: { leave: { args: ['int'] },
          threads: { name: 'leave', args: ['int'], threads: true } } });
        ${call};
        // JavaScript is in the middle of something meanwhile.
        for (const end = Date.now() + 200; Date.now() < end;) JSON.parse('{"a":[1,2,3]}');`,
        { exit: 7 },
      );
      assert.equal(said, 'buffered registered');
    });
  }
});
