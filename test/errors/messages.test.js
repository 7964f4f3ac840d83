'use strict';
// Messages name the type as it was declared, and the next step. None advises to turn a check off.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws } = require('../helpers.js');

const inProcess = (symbols) => ffi.dlopen(null, symbols).symbols;
const declare = (declaration) => () => ffi.dlopen(null, { abs: declaration });

describe('messages about a declaration', () => {
  for (const [type, meant] of [
    ['int32', 'i32'],
    ['string', 'cstring'],
    ['const char *', 'cstring'],
    ['uint', 'unsigned int'],
    ['float64', 'f64'],
    ['Double', 'double'],
    ['itn', 'int'],
    ['unit32_t', 'uint32_t'],
    ['signed int', 'int'],
    ['const wchar_t *', 'wstring'],
    ['utf8', 'cstring'],
    ['number', 'f64'],
    ['time_t', 'i64'],
    ['uint32_be_t', 'u32be'],
    ['func', 'function'],
  ]) {
    test(`the unknown type '${type}' leads to '${meant}'`, () => {
      const error = throws(declare({ args: [type] }), 'ERR_INVALID_ARG_VALUE');
      assert.equal(error.message, `abs: args[0]: unknown type '${type}'. Did you mean '${meant}'?`);
    });
  }

  test('a pointer to a known type leads to the types that stand for it', () => {
    throws(
      declare({ args: ['int *'] }),
      'ERR_INVALID_ARG_VALUE',
      /unknown type 'int \*'\. Did you mean pointer\('int'\), out\('int'\) or 'ptr'\?$/,
    );
    throws(declare({ returns: 'int32*' }), 'ERR_INVALID_ARG_VALUE', /Did you mean pointer\('i32'\) or 'ptr'\?$/);
  });

  test('a type that resembles none leads to C text, and nothing of it is printed raw', () => {
    throws(declare({ args: ['struct \x1b point *'] }), 'ERR_INVALID_ARG_VALUE', /unknown type 'struct \\x1b point \*'/);
    throws(declare({ args: ['nonsense'] }), 'ERR_INVALID_ARG_VALUE', /^abs: args\[0\]: unknown type 'nonsense'$/);
  });

  for (const [key, meant] of [
    ['parameters', 'args'],
    ['arguments', 'args'],
    ['result', 'returns'],
    ['retrun', undefined],
    ['retruns', 'returns'],
    ['Args', 'args'],
    ['arg', 'args'],
  ]) {
    test(`the unknown key '${key}' ${meant === undefined ? 'lists the known ones' : `leads to '${meant}'`}`, () => {
      const error = throws(declare({ [key]: [] }), 'ERR_INVALID_ARG_VALUE', new RegExp(`unknown key '${key}'`));
      if (meant === undefined) assert.match(error.message, /; known are args, returns,/);
      else assert.ok(error.message.endsWith(`. Did you mean '${meant}'?`), error.message);
    });
  }

  test('a type of C that has no counterpart is said to have none', () => {
    throws(declare({ args: ['long double'] }), 'ERR_INVALID_ARG_VALUE', /no counterpart/);
  });

  test('a Map of declarations is refused', () => {
    const symbols = new Map([['abs', {}]]);
    throws(() => ffi.dlopen(null, symbols), 'ERR_INVALID_ARG_TYPE', /symbols must be an object .*, received a Map$/);
  });

  test('a prototype in place of a declaration leads to C text', () => {
    throws(declare('int abs(int)'), 'ERR_INVALID_ARG_TYPE', /; C text is passed for all functions/);
  });

  test('a declaration of another kind shows what one looks like', () => {
    const shown = /must be an object \{ args: \[\.\.\.\], returns: \.\.\. \}, received an array of 2$/;
    throws(declare(['double', ['double']]), 'ERR_INVALID_ARG_TYPE', shown);
  });

  test('a missing symbol leads to the nearest one, or to the list', () => {
    const open = (name) => () => ffi.dlopen('m', { [name]: { args: ['double'], returns: 'double' } });
    throws(open('csoh'), 'ERR_FFI_SYMBOL_NOT_FOUND', /^Symbol "csoh" not found in ".*"\. Did you mean 'cosh'\?$/);
    throws(open('no_such_symbol'), 'ERR_FFI_SYMBOL_NOT_FOUND', /\. List its symbols: npx pinned-ffi info \S*libm\S*$/);
  });

  test('a wrong type is found before a missing symbol', () => {
    const open = () => ffi.dlopen(null, { no_such_symbol: { args: ['int32'] } });
    throws(open, 'ERR_INVALID_ARG_VALUE', /unknown type 'int32'/);
    throws(
      () => ffi.dlopen(null, { no_such_symbol: { returns: { type: 'cstring', free: 'free' } } }),
      'ERR_FFI_SYMBOL_NOT_FOUND',
    );
  });

  test('a constraint, a field name and a size say what is allowed', () => {
    throws(
      declare({ args: [{ type: 'i32', minBytes: 4 }] }),
      'ERR_INVALID_ARG_VALUE',
      /args\[0\]: minBytes is only valid for pointer types, not i32$/,
    );
    throws(() => ffi.struct({ 7: 'int' }), 'ERR_INVALID_ARG_VALUE', /field names must not be '__proto__' or numbers/);
    throws(() => ffi.alloc(2 ** 53), 'ERR_OUT_OF_RANGE', /^alloc: size must be an integer from 0 to \d+, received/);
  });
});

describe('messages about a value', () => {
  const { abs, malloc, strlen, div, pow, printf, frexp } = inProcess({
    abs: { args: ['int'], returns: 'int' },
    malloc: { args: ['size_t'], returns: 'ptr' },
    strlen: { args: ['cstring'], returns: 'size_t' },
    div: { args: ['int', { type: 'int', name: 'divisor' }], returns: 'long' },
    pow: { args: ['double', 'float'], returns: 'double' },
    printf: { args: ['cstring'], varargs: true, returns: 'int' },
    frexp: { args: ['double', ffi.inout('int')], returns: 'double' },
  });

  test('the type is named as the declaration spells it', () => {
    throws(() => abs('x'), 'ERR_INVALID_ARG_TYPE', /\(int\), received the string 'x'$/);
    throws(() => malloc(-1), 'ERR_OUT_OF_RANGE', /to 2\^64-1 \(size_t\), received -1;/);
    throws(() => div(1, {}), 'ERR_INVALID_ARG_TYPE', /^div: argument 1 \(divisor\) must be .* \(int\)/);
    throws(() => pow('x', 1), 'ERR_INVALID_ARG_TYPE', /a number \(double\)/);
    throws(() => pow(1, 1e300), 'ERR_OUT_OF_RANGE', /in the range of float/);
    throws(() => printf('%d', ['short', 70000]), 'ERR_OUT_OF_RANGE', /\(short\), received 70000$/);
    throws(() => frexp(1, {}), 'ERR_INVALID_ARG_TYPE', /^frexp: argument 1 must be .* \(int\)/);
    throws(() => ffi.write.size_t(4096, 0, -1), 'ERR_OUT_OF_RANGE', /\(size_t\)/);
  });

  test('functions that spell the same type in two ways each name theirs', () => {
    const { abs: other } = inProcess({ abs: { args: ['i32'], returns: 'int' } });
    throws(() => other('x'), 'ERR_INVALID_ARG_TYPE', /\(i32\)/);
    throws(() => abs('x'), 'ERR_INVALID_ARG_TYPE', /\(int\)/);
  });

  test('fields, elements and results of callbacks name theirs', () => {
    const Item = ffi.struct({ count: 'size_t', codes: ffi.array('short', 2) }, { name: 'Item' });
    const item = Item.alloc();
    throws(() => Item.alloc({ count: 'x', codes: [1, 2] }), 'ERR_INVALID_ARG_TYPE', /field count .*\(size_t\)/);
    throws(() => Item.alloc({ count: 1, codes: [1, 2e9] }), 'ERR_OUT_OF_RANGE', /field codes\[1\] .*\(short\)/);
    throws(() => (item.count = 'x'), 'ERR_INVALID_ARG_TYPE', /^Item: field count .*\(size_t\)/);
    throws(() => item.codes.set(1, 2e9), 'ERR_OUT_OF_RANGE', /^short\[2\]: element \[1\] .*\(short\)/);
    const { qsort } = inProcess({
      qsort: { args: ['ptr', 'size_t', 'size_t', ffi.fn({ args: ['ptr', 'ptr'], returns: 'int' })] },
    });
    const sort = () => qsort(Buffer.alloc(8), 2, 4, () => 'first');
    throws(sort, 'ERR_INVALID_ARG_TYPE', /return value must be .*\(int\), received the string 'first'$/);
  });

  test('the value that was probably meant is named', () => {
    throws(() => abs(1.5), 'ERR_OUT_OF_RANGE', /received 1\.5; round it first$/);
    throws(() => abs('5'), 'ERR_INVALID_ARG_TYPE', /; did you mean 5\?$/);
    throws(() => abs(true), 'ERR_INVALID_ARG_TYPE', /; did you mean 1\?$/);
    throws(() => abs(0xffffffff), 'ERR_OUT_OF_RANGE', /; the same bits are -1$/);
    throws(() => malloc(-1), 'ERR_OUT_OF_RANGE', /; the same bits are 18446744073709551615n$/);
    throws(() => malloc(2 ** 60), 'ERR_OUT_OF_RANGE', /not exact: pass a BigInt$/);
    throws(() => strlen(undefined), 'ERR_INVALID_ARG_TYPE', /received undefined; NULL is null$/);
    throws(() => strlen(-1), 'ERR_OUT_OF_RANGE', /the same bits are 18446744073709551615n$/);
  });

  test('a text type says first that it takes a string', () => {
    for (const value of [{}, true, new Date()])
      throws(() => strlen(value), 'ERR_INVALID_ARG_TYPE', /^strlen: argument 0 must be a string, a pointer/);
  });

  test('a function that is passed for a pointer leads to both ways of passing one', () => {
    const hint = /declare `fn\(\{ args, returns \}\)`, for longer pass `new JSCallback\(fn, \{ args, returns \}\)`/;
    throws(() => strlen(() => 0), 'ERR_INVALID_ARG_TYPE', hint);
  });

  test('a wrong number of arguments is told without a way around the check', () => {
    assert.equal(throws(() => abs(), 'ERR_INVALID_ARG_VALUE').message, 'abs expects 1 argument, received 0');
  });
});
