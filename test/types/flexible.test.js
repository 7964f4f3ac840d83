'use strict';
// Structs that end in a flexible array, whose length is the value of another field.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { ffi, gc, throws } = require('../helpers.js');

const { struct, array, pointer, ptr } = ffi;
const Packet = struct({ kind: 'u8', count: 'u32', items: array('u16', 'count') }, { name: 'Packet' });
/** The memory of a packet. */
const bytes = (count, ...items) => Buffer.from(Uint16Array.of(1, 0, count, 0, ...items).buffer);

describe('a struct with a flexible array', () => {
  test('a struct with a flexible array is read with as many elements as its count says, from memory and at an address', () => {
    const memory = bytes(2, 5, 6);
    const value = { kind: 1, count: 2, items: [5, 6] };
    assert.deepEqual(Packet.read(memory), value);
    assert.deepEqual(Packet.read(ptr(memory)), value);
    assert.deepEqual(Packet.read(Buffer.concat([Buffer.alloc(8), memory]), 8n), value);
    assert.deepEqual(Packet.read(bytes(0)), { kind: 1, count: 0, items: [] });
  });

  test('a struct with a flexible array is allocated and written with its count, which a value may leave out', () => {
    const packet = Packet.alloc({ kind: 1, items: [1, 2, 3] });
    assert.deepEqual([packet.count, packet.items.length, packet.items[2]], [3, 3, 3]);
    Packet.write(packet, { kind: 2, count: 2, items: Uint16Array.of(8, 9) });
    assert.deepEqual(Packet.read(packet), { kind: 2, count: 2, items: [8, 9] });
    packet.items = [4, 5];
    packet.items[0] = 3;
    assert.deepEqual(packet.items.toArray(), [3, 5]);
    assert.deepEqual(Packet.read(Packet.alloc()), { kind: 0, count: 0, items: [] });
  });

  test('a struct with a flexible array has views that follow its count and print what is there', () => {
    const memory = bytes(2, 5, 6);
    for (const view of [Packet.view(memory), Packet.view(ptr(memory))]) {
      assert.equal(inspect(view), 'Packet { kind: 1, count: 2, items: [ 5, 6 ] }');
      assert.equal(JSON.stringify(view), '{"kind":1,"count":2,"items":[5,6]}');
      view.count = 1;
      assert.equal(view.items.length, 1);
      view.count = 2;
    }
    assert.equal(inspect(Packet), 'struct Packet { kind: u8, count: u32, items: u16[count] } 8 bytes');
    assert.deepEqual([ffi.sizeof(Packet), ffi.offsetof(Packet, 'items')], [8, 8]);
  });

  test('a struct with a flexible array keeps nothing of a length that no view has any more', async () => {
    const { items } = Packet.view(bytes(3, 5, 6, 7));
    assert.deepStrictEqual(items, Packet.view(bytes(3, 5, 6, 7)).items);
    const symbol = Object.getOwnPropertySymbols(items).find(({ description }) => description === 'descriptor');
    const known = [4, 5].map((count) => new WeakRef(Packet.view(bytes(count, 1, 2, 3, 4, 5)).items[symbol]));
    await gc();
    assert.ok(known.every((each) => each.deref() === undefined));
    assert.equal(items.length, 3);
  });

  test('a struct with a flexible array holds structs and texts, counted in any byte order', () => {
    const Entry = struct({ name: 'cstring', value: 'f64' });
    const List = struct({ n: 'u16be', entries: array(Entry, 'n') });
    const value = {
      n: 2,
      entries: [
        { name: 'ä', value: 1 },
        { name: null, value: 2 },
      ],
    };
    const list = List.alloc(value);
    assert.deepEqual(List.read(list), value);
    assert.equal(list.entries.at(0).name, 'ä');
  });

  test('a struct with a flexible array is passed to C as a view', () => {
    const { symbols } = ffi.cc({
      source: `struct packet { unsigned char kind; unsigned count; unsigned short items[]; };
int sum(struct packet *p) { int s = 0; for (unsigned i = 0; i < p->count; i++) s += p->items[i]; return s; }`,
      symbols: { sum: { args: [pointer(Packet)], returns: 'int' } },
    });
    assert.equal(symbols.sum(Packet.alloc({ kind: 1, items: [20, 22] })), 42);
    assert.equal(symbols.sum(Packet.alloc()), 0);
    throws(
      () => symbols.sum({ kind: 1, count: 1, items: [5] }),
      'ERR_INVALID_ARG_TYPE',
      /a view, as Packet\.alloc\(\)/,
    );
  });

  test('a struct with a flexible array is refused where the memory is too small for the count', () => {
    throws(() => Packet.read(bytes(9, 5, 6)), 'ERR_OUT_OF_RANGE', /field count must be at most 2/);
    throws(() => Packet.view(bytes(9, 5, 6)).items, 'ERR_OUT_OF_RANGE', /field count must be at most 2/);
    assert.match(inspect(Packet.view(bytes(9, 5, 6))), /at most 2/);
    const memory = bytes(1, 5);
    throws(() => Packet.write(memory, { kind: 7, items: [1, 2] }), 'ERR_OUT_OF_RANGE', /at least 12, received 10/);
    assert.deepEqual(Packet.read(memory), { kind: 1, count: 1, items: [5] });
  });

  test('a struct with a flexible array is refused with a count that is not the length, and without elements', () => {
    throws(
      () => Packet.alloc({ kind: 1, count: 5, items: [1] }),
      'ERR_INVALID_ARG_VALUE',
      /count must be 1, the length/,
    );
    throws(() => Packet.alloc({ kind: 1, count: 5 }), 'ERR_INVALID_ARG_TYPE', /field items must be an array/);
    throws(() => Packet.alloc(5), 'ERR_INVALID_ARG_TYPE', /must be an object \(Packet\)/);
  });

  test('a struct with a flexible array is refused by value, in other types, and as an out-parameter', () => {
    throws(() => ffi.dlopen(null, { abs: { args: [Packet] } }), 'ERR_INVALID_ARG_VALUE', /pass a pointer/);
    throws(() => ffi.dlopen(null, { abs: { returns: Packet } }), 'ERR_INVALID_ARG_VALUE', /pass a pointer/);
    throws(() => struct({ packet: Packet }), 'ERR_INVALID_ARG_VALUE', /field packet/);
    throws(() => array(Packet, 2), 'ERR_INVALID_ARG_VALUE', /array: type/);
    throws(() => ffi.out(Packet), 'ERR_INVALID_ARG_VALUE', /a type of fixed size/);
    throws(() => ffi.dlopen(null, {}).global('environ', Packet).value, 'ERR_INVALID_ARG_VALUE', /no fixed size/);
  });

  test('a struct with a flexible array must have the array last, counted by an integer', () => {
    const counted = array('u16', 'n');
    throws(() => struct({ items: counted, n: 'u32' }), 'ERR_INVALID_ARG_VALUE', /items must be the last one/);
    throws(
      () => struct({ n: 'f64', items: counted }),
      'ERR_INVALID_ARG_VALUE',
      /counted by a field of an integer type/,
    );
    throws(() => struct({ m: 'u8', items: counted }), 'ERR_INVALID_ARG_VALUE', /counted by a field of an integer type/);
    throws(() => array('f6', 'n'), 'ERR_INVALID_ARG_VALUE', /unknown type 'f6'/);
    throws(() => ffi.dlopen(null, { abs: { args: [counted] } }), 'ERR_INVALID_ARG_VALUE', /args\[0\]/);
  });
});
