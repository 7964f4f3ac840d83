'use strict';
// Globals of a library: read, written, and refused after close().

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws } = require('../helpers.js');

const { struct, array, fn } = ffi;
const Point = struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
const source = `typedef struct { double x, y; } Point;
int counter = 5; Point origin = { 1, 2 }; const char *text = "hello"; long table[4] = { 1, 2, 3, 4 };
static int twice(int n) { return 2 * n; } int (*operation)(int) = twice;
int next(void) { return ++counter; } double sum(void) { return origin.x + origin.y; } int operate(int n) { return operation(n); }`;
const open = () =>
  ffi.cc({
    source,
    symbols: { next: { returns: 'int' }, sum: { returns: 'f64' }, operate: { args: ['int'], returns: 'int' } },
  });

describe('a global', () => {
  const library = open();

  test('a global is read and written live', () => {
    const counter = library.global('counter', 'int');
    const before = counter.value;
    assert.equal(library.symbols.next(), before + 1);
    assert.deepEqual([counter.value, counter.get()], [before + 1, before + 1]);
    counter.value = 40;
    counter.set(counter.get() + 1);
    assert.equal(library.symbols.next(), 42);
    throws(
      () => {
        counter.value = 'x';
      },
      'ERR_INVALID_ARG_TYPE',
      /counter: value must be an integer/,
    );
  });

  test('a global may be a struct, an array, text or a function pointer', () => {
    const origin = library.global('origin', Point);
    assert.deepEqual(origin.value, { x: 1, y: 2 });
    origin.view().y = 10;
    assert.equal(library.symbols.sum(), 11);
    origin.value = { x: 1, y: 2 };
    assert.equal(library.global('text', 'cstring').value, 'hello');
    const table = library.global('table', array('long', 4));
    assert.deepEqual(
      [table.value, [...table.view()]],
      [
        [1n, 2n, 3n, 4n],
        [1n, 2n, 3n, 4n],
      ],
    );
    const operation = library.global('operation', fn({ args: ['int'], returns: 'int' }));
    assert.equal(operation.value(21), 42);
    throws(() => {
      operation.value = (n) => n;
    }, 'ERR_INVALID_ARG_TYPE');
    const callback = new ffi.JSCallback((n) => n + 1, { args: ['int'], returns: 'int' });
    operation.value = callback;
    assert.equal(library.symbols.operate(1), 2);
  });

  test('a global is missing, closed or wrong with an error that says so', () => {
    throws(() => library.global('no_such_global', 'int'), 'ERR_FFI_SYMBOL_NOT_FOUND', /no_such_global/);
    throws(() => library.global('counter', 'void'), 'ERR_INVALID_ARG_VALUE');
    throws(() => library.global('counter', 'i23'), 'ERR_INVALID_ARG_VALUE', /counter: type/);
    throws(() => library.global(5, 'int'), 'ERR_INVALID_ARG_TYPE');
    throws(() => library.global('counter', 'int').view(), 'ERR_INVALID_ARG_VALUE');
    const closing = open();
    const counter = closing.global('counter', 'int');
    closing.close();
    throws(() => counter.value, 'ERR_FFI_LIBRARY_CLOSED', /counter: the library/);
    throws(() => {
      counter.value = 1;
    }, 'ERR_FFI_LIBRARY_CLOSED');
    throws(() => closing.global('counter', 'int'), 'ERR_FFI_LIBRARY_CLOSED');
  });
});
