'use strict';
// Lengths, counts and offsets as C gives them, empty lists and texts, and text in memory.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws } = require('../helpers.js');

const { CString, alloc, array, ptr, read, struct, text, toArrayBuffer, toBuffer, write } = ffi;

describe('a BigInt is taken', () => {
  const bytes = Buffer.from(Int32Array.of(1, 2, 3, 4).buffer);
  const address = ptr(bytes);

  test('a BigInt is taken as a length, a count and an offset', () => {
    assert.deepEqual([...toBuffer(address, 4n, 4n)], [2, 0, 0, 0]);
    assert.equal(toArrayBuffer(address, 0n, 8n).byteLength, 8);
    assert.equal(alloc(24n, { align: 8 }).length, 24);
    assert.deepEqual(array('int', 2n).read(address, 8n), [3, 4]);
    assert.equal(array('int', 4).view(address).at(-1n), 4);
    assert.equal(ptr(bytes, 4n), ptr(bytes, 4));
    assert.equal(read.i32(address, 4n), 2);
    write.i32(address, 4n, 20);
    assert.equal(read(address, 'int', 4n), 20);
    const Pair = struct({ a: 'int', b: 'int' });
    assert.deepEqual(Pair.read(bytes, 8n), { a: 3, b: 4 });
    assert.equal(Pair.view(bytes, 8n).b, 4);
    Pair.write(bytes, { a: 5, b: 6 }, 8n);
    assert.equal(read.i32(address, 12), 6);
    assert.equal(CString(Buffer.from('a text\0'), 2n, 4n), 'text');
  });

  test('a BigInt that is out of range is refused', () => {
    for (const length of [-1n, 2n ** 64n]) {
      throws(() => toBuffer(address, 0, length), 'ERR_OUT_OF_RANGE');
      throws(() => alloc(length), 'ERR_OUT_OF_RANGE');
      throws(() => array('int', length), 'ERR_OUT_OF_RANGE');
      throws(() => ptr(bytes, length), 'ERR_OUT_OF_RANGE');
    }
    throws(() => read.i32(address, 2n ** 64n), 'ERR_OUT_OF_RANGE');
  });
});

describe('an empty list or text', () => {
  test('an empty list or text is empty, at NULL as well', () => {
    const memory = new Uint8Array(8);
    const address = ptr(memory);
    for (const pointer of [address, null, 0, 0n]) {
      for (const zero of [0, 0n]) {
        assert.equal(toBuffer(pointer, 0, zero).length, 0);
        assert.equal(toArrayBuffer(pointer, 0, zero).byteLength, 0);
        assert.equal(CString(pointer, 0, zero), '');
        assert.deepEqual(array('cstring', zero).read(pointer), []);
        assert.deepEqual([...array('int', zero).view(pointer)], []);
      }
    }
    assert.equal(toBuffer(address).length, 0);
    assert.equal(memory[0], 0);
    assert.deepEqual(array('int', 0).alloc([]).toArray(), []);
    throws(() => toBuffer(null, 0, 4), 'ERR_INVALID_ARG_TYPE');
    throws(() => (array('int', 0).alloc()[0] = 1), 'ERR_OUT_OF_RANGE', /has no elements/);
  });

  test('an empty array ends a struct without adding to its size, and the rest is read by its count', () => {
    const List = struct({ count: 'u32', items: array('u16', 0) }, { name: 'List' });
    assert.equal(List.size, 4);
    const memory = Buffer.from(Uint16Array.of(3, 0, 7, 8, 9).buffer);
    const list = List.view(memory);
    assert.deepEqual(array('u16', list.count).read(memory, ffi.offsetof(List, 'items')), [7, 8, 9]);
    throws(() => struct({ items: array('u16', 0) }), 'ERR_INVALID_ARG_VALUE', /no empty struct/);
    throws(() => ffi.dlopen(null, { abs: { args: [List] } }), 'ERR_INVALID_ARG_VALUE', /pass a pointer/);
  });
});

describe('text in memory', () => {
  test('text in memory is read from an address, a view and a Buffer, in each encoding, with a length and without', () => {
    for (const [encoding, bytes] of [
      ['utf8', Buffer.from('grüß 🙂\0rest')],
      ['utf16', Buffer.from('grüß 🙂\0rest', 'utf16le')],
      ['utf32', Buffer.from(Uint32Array.from('grüß 🙂\0rest', (each) => each.codePointAt(0)).buffer)],
    ]) {
      const end = bytes.length;
      for (const source of [bytes, ptr(bytes), new Uint8Array(bytes), new DataView(new Uint8Array(bytes).buffer)]) {
        assert.equal(CString(source, 0, undefined, encoding), 'grüß 🙂');
        assert.equal(CString(source, 0, end, encoding), 'grüß 🙂\0rest');
      }
    }
    const wide = array('wchar_t', 8).alloc('weit');
    assert.equal(CString(wide, 0, undefined, 'wide'), 'weit');
    assert.equal(CString(ptr(wide), 0, undefined, 'wide'), 'weit');
    assert.equal(CString(Buffer.from('no end')), 'no end');
    throws(() => CString(Buffer.from('abc'), 0, 4), 'ERR_OUT_OF_RANGE', /from 0 to 3, the rest of the view/);
    throws(
      () => CString(Buffer.from('abc'), 0, 1, 'latin1'),
      'ERR_INVALID_ARG_VALUE',
      /one of utf8, utf16, utf32, wide/,
    );
  });

  test('text in memory is written into arrays of characters of any width', () => {
    assert.deepEqual(array('u16', 4).alloc('ab').toArray(), [97, 98, 0, 0]);
    assert.deepEqual(array('u8', 3).alloc('ab').toArray(), [97, 98, 0]);
    throws(() => array('char16_t', 2).alloc('abc'), 'ERR_INVALID_ARG_VALUE', /a string of at most 2 units/);
    throws(() => array('wchar_t', 4).alloc('a\0b'), 'ERR_INVALID_ARG_VALUE');
    throws(() => array('int', 4).alloc('abcd'), 'ERR_INVALID_ARG_TYPE');
  });

  test('text in memory is a string both ways in a field of a fixed text', () => {
    const Person = struct(
      { name: text(8), nick: text(4, 'utf16'), wide: text(4, 'wide'), age: 'int' },
      { name: 'Person' },
    );
    const person = Person.alloc({ name: 'grüß', nick: 'ab', wide: '🙂', age: 5 });
    assert.deepEqual(Person.read(person), { name: 'grüß', nick: 'ab', wide: '🙂', age: 5 });
    person.name = 'whole 8b';
    assert.equal(person.name, 'whole 8b');
    person.name = '';
    assert.equal(person.name, '');
    assert.equal(ffi.sizeof(text(8)), 8);
    assert.equal(text(8).read(Buffer.from('abc\0defg')), 'abc');
    throws(
      () => (person.name = 'nine byte'),
      'ERR_INVALID_ARG_VALUE',
      /^Person: field name .* at most 8 bytes \(text\(8\)\)/,
    );
    throws(() => (person.name = 5), 'ERR_INVALID_ARG_TYPE', /a string of at most 8 bytes/);
    throws(() => (person.name = 'a\0b'), 'ERR_INVALID_ARG_VALUE', /a string without NUL characters \(text\(8\)\)/);
    throws(() => array('char', 4).alloc('a\0'), 'ERR_INVALID_ARG_VALUE', /without NUL characters \(char\[4\]\)/);
    throws(() => text(0), 'ERR_OUT_OF_RANGE');
    throws(() => text(8, 'latin1'), 'ERR_INVALID_ARG_VALUE');
  });

  test('numbers are read from a view as well, within it', () => {
    const bytes = Buffer.from([0, 5, 0, 0, 0]);
    assert.equal(read.i32(bytes, 1), 5);
    assert.equal(read(bytes, 'int', 1), 5);
    throws(() => read.i32(bytes, 2), 'ERR_OUT_OF_RANGE', /read\.i32: source needs at least 4 bytes/);
  });
});

describe('a number of elements', () => {
  const { qsort } = ffi.dlopen(null, {
    qsort: {
      args: [
        'ptr',
        { type: 'size_t', countOf: 0 },
        'size_t',
        ffi.fn({ args: [ffi.pointer('int'), ffi.pointer('int')], returns: 'int' }),
      ],
    },
  }).symbols;

  test('a constraint on the number of elements is checked against the elements of the typed array', () => {
    const numbers = Int32Array.of(3, 1, 2);
    const compare = (a, b) => read.i32(a) - read.i32(b);
    qsort(numbers, 3, 4, compare);
    assert.deepEqual([...numbers], [1, 2, 3]);
    throws(
      () => qsort(numbers, 4, 4, compare),
      'ERR_OUT_OF_RANGE',
      /at most 3, the elements of argument 0, received 4/,
    );
    throws(() => qsort(numbers, 12, 4, compare), 'ERR_OUT_OF_RANGE', /the elements of argument 0/);
  });

  test('a number of elements counts elements of the type that the pointer points to', () => {
    const Pair = struct({ a: 'int', b: 'int' });
    const { qsort: sort } = ffi.dlopen(null, {
      qsort: { args: [ffi.pointer(Pair), { type: 'size_t', countOf: 0 }, 'size_t', 'function'] },
    }).symbols;
    throws(() => sort(Buffer.alloc(16), 3, 8, null), 'ERR_OUT_OF_RANGE', /at most 2, the elements/);
  });

  test('a constraint on the number of elements excludes a number of bytes', () => {
    const both = { type: 'size_t', countOf: 0, lengthOf: 0 };
    throws(() => ffi.dlopen(null, { abs: { args: ['ptr', both] } }), 'ERR_INVALID_ARG_VALUE', /one of minBytes/);
  });
});

describe('fields', () => {
  test('fields that a value lacks are zero where the struct says so', () => {
    const Options = struct({ size: 'u32', name: 'cstring', at: struct({ x: 'int' }) }, { name: 'Options', zero: true });
    const options = Options.alloc({ size: 7 });
    assert.deepEqual(Options.read(options), { size: 7, name: null, at: { x: 0 } });
    const Strict = struct({ size: 'u32', flags: 'u32' }, { name: 'Strict' });
    throws(() => Strict.alloc({ size: 7 }), 'ERR_INVALID_ARG_TYPE', /field flags/);
  });

  test('fields have the alignment that the declaration gives them', () => {
    const Aligned = struct({ a: 'u8', b: { type: 'i16', align: 8 }, c: 'u8' });
    assert.deepEqual(
      [ffi.offsetof(Aligned, 'b'), ffi.offsetof(Aligned, 'c'), Aligned.size, Aligned.align],
      [8, 10, 16, 8],
    );
    throws(() => struct({ a: { type: 'u8', align: 3 } }), 'ERR_OUT_OF_RANGE');
    throws(() => struct({ a: { type: 'u8', bits: 3, align: 8 } }), 'ERR_INVALID_ARG_VALUE');
  });
});

test('errno is set by errno(value)', () => {
  ffi.errno(17);
  assert.equal(ffi.errno(), 17);
  ffi.errno(0);
  assert.equal(ffi.errno(), 0);
  throws(() => ffi.errno('x'), 'ERR_INVALID_ARG_TYPE');
  throws(() => ffi.errno(2 ** 40), 'ERR_OUT_OF_RANGE');
});
