'use strict';
// ptr, read, write, toBuffer, toArrayBuffer and CString: memory by its address.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const {
  ffi,
  bind,
  bindOne,
  throws,
  gc,
  collect,
  runs,
  makeDetached,
  optimize,
  staysOptimized,
} = require('../helpers.js');
const { integerNames, floatNames, pointerNames, edgesOf, expectBack } = require('../fixtures/scalars.js');

const { JSCallback, ptr, read, write, toBuffer, toArrayBuffer, CString, array } = ffi;

const native = bind({
  alloc_bytes: { args: ['u64'], returns: 'ptr' },
  free_bytes: { args: ['ptr'] },
  deallocate_bytes: { args: ['ptr', 'ptr'] },
  count_deallocations: { returns: 'i32' },
  get_deallocated_bytes: { returns: 'ptr' },
  get_deallocated_context: { returns: 'ptr' },
  get_text: { returns: 'ptr' },
  get_utf8: { returns: 'ptr' },
  get_broken_utf8: { returns: 'ptr' },
  sum_bytes: { args: ['ptr', 'u64'], returns: 'u64' },
  fill_bytes: { args: ['ptr', 'u64', 'u8'] },
});

/** Runs `use` with the address of fresh zeroed native memory, freed afterwards. */
function withMemory(size, use) {
  const address = native.alloc_bytes(size);
  try {
    return use(address);
  } finally {
    native.free_bytes(address);
  }
}

const lowAddresses = [0, 0n, 1, 8, 64, 4095, 4095n];
const noAddresses = [undefined, 'text', true, {}, [], Symbol('s'), () => 1, new Uint8Array(8), new ArrayBuffer(8)];
const isMemory = (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
const wildAddresses = [NaN, -1, -1n, 0.5, 2 ** 53, 2n ** 64n, Infinity];

describe('ptr', () => {
  test('ptr() gives the address of the memory of every kind of view', () => {
    const memory = new ArrayBuffer(128);
    const start = ptr(memory);
    assert.equal(typeof start, 'number');
    for (const view of [
      new Uint8Array(memory, 8),
      new Float64Array(memory, 16),
      new DataView(memory, 3),
      Buffer.from(memory, 5),
      new BigInt64Array(memory, 24, 1),
    ]) {
      assert.equal(ptr(view), start + view.byteOffset);
      assert.equal(ptr(view, 8), start + view.byteOffset + 8);
    }
    assert.equal(ptr(new SharedArrayBuffer(8)) > 4096, true);
  });

  test('small typed arrays have a lasting address', async () => {
    for (const size of [1, 8, 32, 64, 65, 1000]) {
      const view = new Uint8Array(size).fill(size);
      const address = ptr(view);
      await gc();
      assert.equal(ptr(view), address);
      write.u8(address, 0, 99);
      assert.equal(view[0], 99);
      view[size - 1] = 98;
      assert.equal(read.u8(address, size - 1), 98);
      assert.equal(ptr(view.buffer), address);
      assert.equal(ptr(view.subarray(0, 1)), address);
    }
  });

  test('ptr() takes an offset up to the end of the view', () => {
    const view = new Uint8Array(16);
    assert.equal(ptr(view, 0), ptr(view));
    assert.equal(ptr(view, 15), ptr(view) + 15);
    assert.equal(ptr(view, 16), ptr(view) + 16);
    assert.equal(ptr(view, undefined), ptr(view));
    for (const offset of [17, -1, NaN, 0.5, Infinity, 2 ** 53]) throws(() => ptr(view, offset), 'ERR_OUT_OF_RANGE');
    for (const offset of ['1', true, {}, Symbol('s')]) throws(() => ptr(view, offset), 'ERR_INVALID_ARG_TYPE');
    assert.equal(ptr(view, 15n), ptr(view) + 15);
    for (const offset of [17n, -1n]) throws(() => ptr(view, offset), 'ERR_OUT_OF_RANGE');
  });

  test('ptr() refuses everything that is no memory', () => {
    for (const value of [undefined, null, 0, 4096, 1n, 'text', {}, [], () => 1, { ptr: 4096 }]) {
      throws(() => ptr(value), 'ERR_INVALID_ARG_TYPE');
    }
  });

  test('ptr() refuses detached and resizable memory', () => {
    throws(() => ptr(makeDetached()), 'ERR_INVALID_ARG_VALUE', /attached/);
    throws(() => ptr(makeDetached().buffer), 'ERR_INVALID_ARG_VALUE', /attached/);
    const resizable = new ArrayBuffer(8, { maxByteLength: 16 });
    throws(() => ptr(resizable), 'ERR_INVALID_ARG_VALUE', /resize|fixed size/);
    throws(() => ptr(new Uint8Array(resizable)), 'ERR_INVALID_ARG_VALUE', /resize|fixed size/);
  });

  test('ptr() is not misled by own properties of a view', () => {
    const view = new Uint8Array(16);
    const address = ptr(view);
    for (const key of ['buffer', 'byteOffset', 'byteLength', 'length', 'ptr'])
      Object.defineProperty(view, key, { value: 1 << 20 });
    assert.equal(ptr(view), address);
    throws(() => ptr(view, 17), 'ERR_OUT_OF_RANGE');
    assert.equal(native.sum_bytes(view, 16), 0n);
  });
});

describe('read and write', () => {
  for (const type of integerNames) {
    test(`${type.name} is read and written exactly at every edge`, () => {
      withMemory(64, (address) => {
        for (const offset of [0, 8, 1, 3, 13]) {
          for (const value of edgesOf(type)) {
            write[type.name](address, offset, value);
            assert.equal(read[type.name](address, offset), expectBack(type, value));
            const bytes = Buffer.concat([toBuffer(address, offset, type.size), Buffer.alloc(8)]);
            assert.equal(bytes.readBigUInt64LE(0), BigInt.asUintN(type.size * 8, value), 'the bytes in memory');
          }
        }
      });
    });

    test(`write.${type.name} touches only its own bytes`, () => {
      withMemory(64, (address) => {
        native.fill_bytes(address, 64, 0xaa);
        write[type.name](address, 16, 0);
        const bytes = toBuffer(address, 0, 64);
        for (let i = 0; i < 64; i++) assert.equal(bytes[i], i >= 16 && i < 16 + type.size ? 0 : 0xaa, `byte ${i}`);
      });
    });

    test(`write.${type.name} refuses what it cannot hold`, () => {
      withMemory(16, (address) => {
        for (const value of [type.min - 1n, type.max + 1n, 0.5, NaN]) {
          throws(() => write[type.name](address, 0, value), 'ERR_OUT_OF_RANGE');
        }
        for (const value of ['1', true, null, undefined, {}]) {
          throws(() => write[type.name](address, 0, value), 'ERR_INVALID_ARG_TYPE');
        }
        assert.equal(native.sum_bytes(address, 16), 0n);
      });
    });
  }

  for (const { name, edges } of floatNames) {
    test(`${name} is read and written exactly, at any alignment`, () => {
      withMemory(64, (address) => {
        for (const offset of [0, 1, 4, 7]) {
          for (const value of edges) {
            write[name](address, offset, value);
            assert.equal(Object.is(read[name](address, offset), value), true, `${value} at ${offset}`);
          }
        }
        throws(() => write[name](address, 0, '1'), 'ERR_INVALID_ARG_TYPE');
        throws(() => write[name](address, 0, 1n), 'ERR_INVALID_ARG_TYPE');
      });
    });
  }

  test('V8 keeps the code that it has optimised for a reader', () => {
    withMemory(8, (address) => {
      write.f64(address, 0, 1.5);
      // Far more than the pause of the fast path.
      const sum = () => {
        let total = 0;
        for (let i = 0; i < 300; i++) total += read.f64(address);
        return total;
      };
      // V8 gives up the code in about one of eighty processes, whatever the reader does.
      const stays = () => {
        optimize(sum);
        for (let i = 0; i < 10; i++) assert.equal(sum(), 450);
        return staysOptimized(sum);
      };
      assert.ok(stays() || stays() || stays());
    });
  });

  for (const type of [...integerNames, ...floatNames]) {
    test(`optimised code reads ${type.name} as other code does, in a callback too, and is refused the same`, () => {
      withMemory(32, (address) => {
        const reader = read[type.name];
        // V8 gives up on source that was deoptimised for many types, so that each has its own.
        const caller = new Function('reader', `return (at) => reader(at); // ${type.name}`)(reader);
        write[type.name](address, 0, 1);
        optimize(caller, () => caller(address));
        const values = type.edges ?? edgesOf(type);
        const check = () => {
          for (const value of values) {
            for (const offset of [0, 3]) {
              write[type.name](address, offset, value);
              const wanted = type.edges ? value : expectBack(type, value);
              assert.equal(
                Object.is(caller(address + offset), wanted),
                true,
                `${caller(address + offset)} for ${value}`,
              );
              assert.equal(Object.is(reader(BigInt(address), offset), wanted), true);
            }
          }
          for (const nowhere of [0, 4095, 0n])
            throws(() => caller(nowhere), 'ERR_FFI_INVALID_POINTER', /^read\.\w+( \w+)*: ptr /);
          for (const none of [-1, 4096.5, NaN, 2 ** 53])
            throws(() => caller(none), 'ERR_OUT_OF_RANGE', /^read\.\w+( \w+)*: ptr /);
          for (const other of [undefined, null, '8192', {}])
            throws(() => caller(other), 'ERR_INVALID_ARG_TYPE', /^read\./);
          assert.equal(caller.length + reader.length, 2);
        };
        check();
        let ran = 0;
        const callback = new JSCallback(() => (check(), (ran += 1)), {});
        bindOne('call_void', ['function'])(callback);
        callback.close();
        assert.equal(ran, 1);
      });
    });
  }

  test('bool is read and written as one byte', () => {
    withMemory(16, (address) => {
      write.bool(address, 3, true);
      assert.equal(read.bool(address, 3), true);
      assert.equal(read.u8(address, 3), 1);
      write.bool(address, 3, false);
      assert.equal(read.bool(address, 3), false);
      throws(() => write.bool(address, 3, 1), 'ERR_INVALID_ARG_TYPE');
    });
  });

  for (const name of pointerNames) {
    test(`${name} is read as a number, above 2^53 - 1 as a BigInt, NULL as null`, () => {
      withMemory(32, (address) => {
        for (const offset of [0, 8, 5]) {
          for (const value of [4096, Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, null]) {
            write[name](address, offset, value);
            assert.equal(read[name](address, offset), value);
            assert.equal(read.u64(address, offset), BigInt(value ?? 0));
          }
          const view = new Uint8Array(100);
          write[name](address, offset, ptr(view));
          assert.equal(read[name](address, offset), ptr(view));
        }
        // A view would not be kept alive by the memory it is written to.
        for (const value of [undefined, 'x', {}, new Uint8Array(8)])
          throws(() => write[name](address, 0, value), 'ERR_INVALID_ARG_TYPE');
        for (const value of [-1, NaN, 2n ** 64n]) throws(() => write[name](address, 0, value), 'ERR_OUT_OF_RANGE');
      });
    });
  }

  test('optimised code reads texts of every kind at a pointer, and NULL', () => {
    const kinds = ['', 'a', 'x'.repeat(32), 'x'.repeat(33), 'y'.repeat(5000), 'é', '日本', '\x7f'];
    // Pinned: nothing else keeps them while the loop reads them by their addresses.
    const pins = kinds.map((text) => ffi.pin(Buffer.from(`${text}\0`)));
    const pointers = new BigUint64Array([...pins.map((pin) => BigInt(pin.ptr)), 0n]);
    const [at, expected] = [ptr(pointers), [...kinds, null]];
    for (let i = 0; i < 20_000; i++) {
      const k = i % expected.length;
      if (read.cstring(at + 8 * k) !== expected[k]) assert.equal(read.cstring(at + 8 * k), expected[k]);
    }
    assert.equal(read.cstring(BigInt(at) + 8n), 'a');
    pins.forEach((pin) => pin.release());
    pointers[0] = 5n;
    throws(() => read.cstring(at), 'ERR_FFI_INVALID_POINTER', /first page/);
    throws(
      () => read.cstring(0),
      'ERR_FFI_INVALID_POINTER',
      /^read\.cstring: ptr must be a valid address, received NULL/,
    );
  });

  test("bun's names are there", () => {
    for (const name of ['u8', 'u16', 'u32', 'ptr', 'i8', 'i16', 'i32', 'i64', 'u64', 'intptr', 'f32', 'f64']) {
      assert.equal(typeof read[name], 'function', name);
      assert.equal(typeof write[name], 'function', name);
    }
    withMemory(16, (address) => {
      write.intptr(address, 0, -5);
      assert.equal(Number(read.intptr(address, 0)), -5);
      assert.equal(read.i64(address), -5n);
    });
  });

  test('the offset of read is zero when it is left out', () => {
    withMemory(16, (address) => {
      write.i32(address, 0, 7);
      assert.equal(read.i32(address), 7);
      assert.equal(read.i32(BigInt(address)), 7);
      assert.equal(read.i32(address, undefined), 7);
    });
  });

  test('JS views and native memory show the same bytes', () => {
    const view = new Float64Array([1.5, -2.5]);
    assert.equal(read.f64(ptr(view), 8), -2.5);
    write.f64(ptr(view), 0, 42.25);
    assert.equal(view[0], 42.25);
  });

  for (const name of ['u8', 'i32', 'i64', 'f64', 'ptr']) {
    const value = name === 'i64' ? 1n : 1;
    test(`read.${name} and write.${name} refuse addresses that cannot be`, () => {
      for (const address of lowAddresses) {
        throws(() => read[name](address), 'ERR_FFI_INVALID_POINTER');
        throws(() => write[name](address, 0, value), 'ERR_FFI_INVALID_POINTER');
      }
      for (const address of [null]) {
        throws(() => read[name](address), ['ERR_FFI_INVALID_POINTER', 'ERR_INVALID_ARG_TYPE']);
        throws(() => write[name](address, 0, value), ['ERR_FFI_INVALID_POINTER', 'ERR_INVALID_ARG_TYPE']);
      }
      for (const address of noAddresses) {
        if (!isMemory(address)) throws(() => read[name](address), 'ERR_INVALID_ARG_TYPE');
        throws(() => write[name](address, 0, value), 'ERR_INVALID_ARG_TYPE');
      }
      for (const address of wildAddresses) {
        throws(() => read[name](address), ['ERR_OUT_OF_RANGE', 'ERR_FFI_INVALID_POINTER']);
        throws(() => write[name](address, 0, value), ['ERR_OUT_OF_RANGE', 'ERR_FFI_INVALID_POINTER']);
      }
    });

    test(`read.${name} and write.${name} refuse offsets that are none`, () => {
      withMemory(16, (address) => {
        for (const offset of ['1', null, {}, true, Symbol('s')]) {
          throws(() => read[name](address, offset), 'ERR_INVALID_ARG_TYPE');
          throws(() => write[name](address, offset, value), 'ERR_INVALID_ARG_TYPE');
        }
        for (const offset of [NaN, 0.5, Infinity, 2 ** 53]) {
          throws(() => read[name](address, offset), 'ERR_OUT_OF_RANGE');
          throws(() => write[name](address, offset, value), 'ERR_OUT_OF_RANGE');
        }
        // An offset may not lead below the first page or past the end of memory.
        throws(() => read[name](8192, -8000), ['ERR_FFI_INVALID_POINTER', 'ERR_OUT_OF_RANGE']);
        throws(() => read[name](2n ** 64n - 1n, 8), ['ERR_FFI_INVALID_POINTER', 'ERR_OUT_OF_RANGE']);
      });
    });
  }

  test('V8 stores their functions, and those of the package, by a layout', () => {
    // A dictionary is searched for each `read.f64`, which takes longer than the read.
    const isFast = new Function('object', 'return %HasFastProperties(object)');
    for (const [name, object] of Object.entries({ read, write, 'the exports': ffi })) assert.ok(isFast(object), name);
  });
});

describe('read.bytes and write.bytes', () => {
  const pattern = (size) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + 1) & 255);

  test('bytes are copied out of memory and into it, of every size, at every offset', () => {
    withMemory(70_000, (address) => {
      for (const size of [1, 7, 8, 63, 64, 65, 2048, 2049, 4096, 32_768, 65_536, 69_000]) {
        for (const offset of [0, 1, 13]) {
          const bytes = pattern(size);
          for (const start of [address, BigInt(address)]) {
            write.bytes(start, offset, bytes);
            const copy = read.bytes(start, offset, size);
            assert.ok(Buffer.isBuffer(copy));
            assert.deepEqual(new Uint8Array(copy), bytes);
          }
          assert.equal(read.u8(address, offset + size), 0, 'the byte behind them');
          native.fill_bytes(address, offset + size, 0);
        }
      }
    });
  });

  test('a copy does not change with the memory, nor the memory with it', () => {
    withMemory(64, (address) => {
      const copies = Array.from({ length: 20 }, (_, i) => {
        native.fill_bytes(address, 64, i);
        return read.bytes(address, 0, 64);
      });
      copies.forEach((copy, i) => assert.deepEqual(copy, Buffer.alloc(64, i)));
      copies.forEach((copy) => copy.fill(99));
      assert.equal(native.sum_bytes(address, 64), 64n * 19n);
    });
  });

  test('optimised code copies bytes, and still refuses what is wrong', () => {
    withMemory(64, (address) => {
      write.bytes(address, 0, pattern(64));
      const copy = (at, offset, size) => read.bytes(at, offset, size);
      optimize(copy, () => copy(address, 0, 16));
      for (let i = 0; i < 300; i++)
        assert.deepEqual(copy(address, i & 31, 32), read.bytes(BigInt(address), i & 31, 32));
      for (const size of [-1, 0.5, NaN, 2 ** 53, -1n]) throws(() => copy(address, 0, size), 'ERR_OUT_OF_RANGE');
      for (const size of [undefined, null, '8', {}]) throws(() => copy(address, 0, size), 'ERR_INVALID_ARG_TYPE');
      for (const offset of [0.5, NaN, 2 ** 53]) throws(() => copy(address, offset, 8), 'ERR_OUT_OF_RANGE');
      throws(() => copy(address, 'x', 8), 'ERR_INVALID_ARG_TYPE');
      for (const low of lowAddresses) throws(() => copy(low, 0, 8), 'ERR_FFI_INVALID_POINTER');
      throws(() => copy(8192, -8000, 8), 'ERR_FFI_INVALID_POINTER');
      assert.deepEqual(copy(address, 0, 4), Buffer.from(pattern(4)));
    });
  });

  test('nothing is copied of no bytes, at NULL as well', () => {
    for (const nothing of [0, 0n, null]) {
      assert.equal(read.bytes(nothing, 0, 0).length, 0);
      write.bytes(nothing, 0, new Uint8Array(0));
    }
  });

  test('offsets and lengths may be BigInts, as C gives them', () => {
    withMemory(16, (address) => {
      write.bytes(address, 3n, pattern(4));
      assert.deepEqual(read.bytes(address, 3n, 4n), Buffer.from(pattern(4)));
      assert.deepEqual(read.bytes(address + 3, undefined, 4), Buffer.from(pattern(4)));
    });
  });

  test('CString and views of types without size refuse what is detached, and take what is empty', () => {
    const none = array('int', 0);
    for (const make of [
      (buffer) => buffer,
      (buffer) => new DataView(buffer, 4),
      (buffer) => new Uint8Array(buffer, 4),
    ]) {
      const buffer = new ArrayBuffer(8);
      const view = make(buffer);
      structuredClone(buffer, { transfer: [buffer] });
      for (const use of [() => CString(view), () => CString(view, 0, 0), () => none.view(view)])
        throws(use, 'ERR_INVALID_ARG_VALUE', /must be attached to its storage/);
    }
    for (const empty of [new ArrayBuffer(0), new DataView(new ArrayBuffer(8), 8), Buffer.alloc(0)]) {
      assert.equal(CString(empty), '');
      assert.equal(none.view(empty).length, 0);
    }
  });

  test('a buffer over more memory than the engine allows is refused', () => {
    withMemory(16, (address) => {
      for (const length of [2 ** 35, 2 ** 47]) {
        // Node 20 and early releases of 26 refuse them.
        try {
          assert.equal(ffi.toArrayBuffer(address, 0, length).byteLength, length);
        } catch ({ code }) {
          // An isolated library shares less memory, and the guard finds that it is not mapped.
          const codes = ['ERR_OUT_OF_RANGE', 'ERR_FFI_NOT_SHARED', 'ERR_FFI_INVALID_POINTER'];
          assert.ok(codes.includes(code), code);
        }
      }
      throws(
        () => ffi.toArrayBuffer(address, 0, 2 ** 53 - 1),
        ['ERR_OUT_OF_RANGE', 'ERR_FFI_INVALID_POINTER', 'ERR_FFI_NOT_SHARED'],
      );
    });
  });

  test('read.bytes throws an error of the package for more bytes than can be allocated', () => {
    // Node 20 has a lower limit for the length of a Buffer.
    withMemory(16, (address) => {
      throws(() => read.bytes(address, 0, 2 ** 47), ['ERR_FFI_MEMORY_EXHAUSTED', 'ERR_OUT_OF_RANGE'], /read\.bytes/);
    });
  });

  test('write.bytes takes the bytes of every kind of view, of small ones in the engine, and of buffers', () => {
    withMemory(64, (address) => {
      for (const make of [
        () => pattern(8),
        () => Buffer.from(pattern(8)),
        () => pattern(8).buffer,
        () => new DataView(pattern(10).buffer, 0, 8),
        () => new Float64Array(pattern(8).buffer),
        () => pattern(20).subarray(0, 8),
        () => {
          const shared = new Uint8Array(new SharedArrayBuffer(8));
          shared.set(pattern(8));
          return shared;
        },
      ]) {
        native.fill_bytes(address, 64, 0);
        write.bytes(address, 5, make());
        assert.deepEqual(read.bytes(address, 5, 9), Buffer.from([...pattern(8), 0]));
      }
      for (const value of [undefined, null, 5, 'text', [1, 2], {}]) {
        throws(() => write.bytes(address, 0, value), 'ERR_INVALID_ARG_TYPE');
      }
      throws(() => write.bytes(address, 0, makeDetached(8)), 'ERR_INVALID_ARG_VALUE');
    });
  });

  test('read.bytes copies a part of a view or a buffer, and refuses what lies outside of it', () => {
    const bytes = pattern(16);
    for (const source of [bytes, bytes.buffer, new DataView(bytes.buffer), Buffer.from(bytes)]) {
      const copy = read.bytes(source, 4, 8);
      assert.deepEqual(copy, Buffer.from(bytes.subarray(4, 12)));
      copy[0] = 0;
      assert.equal(read.u8(source, 4), bytes[4]);
      assert.equal(read.bytes(source, 16, 0).length, 0);
      for (const [offset, size] of [
        [0, 17],
        [9, 8],
        [17, 0],
        [-1, 4],
      ]) {
        throws(() => read.bytes(source, offset, size), 'ERR_OUT_OF_RANGE');
      }
    }
  });

  test('memory that overlaps the source is copied as if there were two', () => {
    withMemory(64, (address) => {
      write.bytes(address, 0, pattern(32));
      write.bytes(address, 1, toBuffer(address, 0, 32));
      assert.deepEqual(read.bytes(address, 0, 33), Buffer.from([1, ...pattern(32)]));
    });
  });
});

for (const [name, wrap] of [
  ['toBuffer', toBuffer],
  ['toArrayBuffer', toArrayBuffer],
]) {
  const bytesOf = (wrapped) => (wrapped instanceof ArrayBuffer ? new Uint8Array(wrapped) : wrapped);

  describe(name, () => {
    test(`${name}() borrows native memory without a copy`, () => {
      withMemory(64, (address) => {
        const wrapped = wrap(address, 0, 64);
        assert.equal(wrapped.byteLength, 64);
        assert.equal(name === 'toBuffer' ? Buffer.isBuffer(wrapped) : wrapped instanceof ArrayBuffer, true);
        const bytes = bytesOf(wrapped);
        native.fill_bytes(address, 64, 5);
        assert.equal(
          bytes.every((byte) => byte === 5),
          true,
        );
        bytes[63] = 200;
        assert.equal(read.u8(address, 63), 200);
        assert.equal(ptr(wrapped), address);
      });
    });

    test(`${name}() takes an offset, a BigInt address, and without a length reads up to the NUL`, () => {
      withMemory(64, (address) => {
        write.u8(address, 10, 7);
        assert.equal(bytesOf(wrap(address, 10, 4))[0], 7);
        assert.equal(bytesOf(wrap(BigInt(address), 10, 4))[0], 7);
      });
      assert.equal(Buffer.from(wrap(native.get_text())).toString(), 'plain text');
      assert.equal(Buffer.from(wrap(native.get_text(), 6)).toString(), 'text');
    });

    test('the same memory may be wrapped several times', async () => {
      const address = native.alloc_bytes(64);
      const wrapped = Array.from({ length: 10 }, () => bytesOf(wrap(address, 0, 64)));
      wrapped[0][0] = 77;
      for (const other of wrapped) assert.equal(other[0], 77);
      wrapped.length = 5;
      await gc();
      for (const other of wrapped) assert.equal(other[0], 77);
      wrapped.length = 0;
      await gc();
      assert.equal(read.u8(address), 77);
      native.free_bytes(address);
    });

    test('memory of another view may be wrapped', () => {
      const view = new Uint8Array(100).fill(3);
      const wrapped = bytesOf(wrap(ptr(view), 0, 100));
      wrapped[99] = 9;
      assert.equal(view[99], 9);
    });

    test('owned memory is given to the deallocator once, after garbage collection', async () => {
      const before = native.count_deallocations();
      const address = native.alloc_bytes(64);
      (() => {
        const wrapped = wrap(address, 0, 64, native.deallocate_bytes.ptr);
        bytesOf(wrapped)[0] = 1;
        collect();
        assert.equal(native.count_deallocations(), before);
        assert.equal(wrapped.byteLength, 64);
      })();
      await gc(() => native.count_deallocations() > before);
      assert.equal(native.get_deallocated_bytes(), address);
      assert.equal(native.get_deallocated_context(), null);
      await gc();
      assert.equal(native.count_deallocations(), before + 1);
    });

    test('the deallocator gets the context', async () => {
      const before = native.count_deallocations();
      const address = native.alloc_bytes(64);
      (() => wrap(address, 0, 64, 123456, native.deallocate_bytes.ptr))();
      await gc(() => native.count_deallocations() > before);
      assert.equal(native.get_deallocated_bytes(), address);
      assert.equal(native.get_deallocated_context(), 123456);
      await gc();
      assert.equal(native.count_deallocations(), before + 1);
    });

    test('a hundred owned memories are each deallocated once', async () => {
      const before = native.count_deallocations();
      (() => {
        for (let i = 0; i < 100; i++) wrap(native.alloc_bytes(100 + i), 0, 100 + i, native.deallocate_bytes.ptr);
      })();
      await gc(() => native.count_deallocations() === before + 100);
      await gc();
      assert.equal(native.count_deallocations(), before + 100);
    });

    test('a view keeps the owned memory', async () => {
      const before = native.count_deallocations();
      let view = (() => {
        const wrapped = wrap(native.alloc_bytes(64), 0, 64, native.deallocate_bytes.ptr);
        return new Uint8Array(wrapped instanceof ArrayBuffer ? wrapped : wrapped.buffer, wrapped.byteOffset ?? 0, 8);
      })();
      await gc();
      assert.equal(native.count_deallocations(), before);
      view[7] = 3;
      assert.equal(view[7], 3);
      view = null;
      await gc(() => native.count_deallocations() === before + 1);
    });

    test('owned memory that is alive at the end of the process does no harm', async () => {
      const stdout = await runs(`
        const { alloc_bytes: alloc, deallocate_bytes: free } = h.bind({
          alloc_bytes: { args: ['u64'], returns: 'ptr' }, deallocate_bytes: { args: ['ptr', 'ptr'] },
        });
        globalThis.kept = [0, 1, 2].map(() => ffi.${name}(alloc(64), 0, 64, free.ptr));
        console.log('end');
      `);
      assert.equal(stdout, 'end');
    });

    test(`${name}() refuses addresses that cannot be`, () => {
      for (const address of lowAddresses) throws(() => wrap(address, 0, 4), 'ERR_FFI_INVALID_POINTER');
      throws(() => wrap(null, 0, 4), ['ERR_FFI_INVALID_POINTER', 'ERR_INVALID_ARG_TYPE']);
      for (const address of noAddresses) throws(() => wrap(address, 0, 4), 'ERR_INVALID_ARG_TYPE');
      for (const address of wildAddresses)
        throws(() => wrap(address, 0, 4), ['ERR_OUT_OF_RANGE', 'ERR_FFI_INVALID_POINTER']);
    });

    test(`${name}() refuses lengths and offsets that cannot be`, () => {
      withMemory(16, (address) => {
        for (const length of [-1, NaN, 0.5, Infinity, 2 ** 53, Number.MAX_SAFE_INTEGER, 2 ** 52]) {
          throws(() => wrap(address, 0, length), ['ERR_OUT_OF_RANGE', 'ERR_FFI_INVALID_POINTER']);
        }
        for (const length of ['4', {}, true, Symbol('s')])
          throws(() => wrap(address, 0, length), 'ERR_INVALID_ARG_TYPE');
        for (const offset of [NaN, 0.5, Infinity, 2 ** 53]) throws(() => wrap(address, offset, 4), 'ERR_OUT_OF_RANGE');
        for (const offset of ['4', {}, true, Symbol('s')])
          throws(() => wrap(address, offset, 4), 'ERR_INVALID_ARG_TYPE');
      });
    });

    test(`${name}() refuses a deallocator that is no function of C`, () => {
      withMemory(16, (address) => {
        for (const dealloc of ['x', true, {}, () => 1, new Uint8Array(4)]) {
          throws(() => wrap(address, 0, 4, dealloc), 'ERR_INVALID_ARG_TYPE');
          throws(() => wrap(address, 0, 4, 1, dealloc), 'ERR_INVALID_ARG_TYPE');
        }
        throws(() => wrap(address, 0, 4, -1), 'ERR_OUT_OF_RANGE');
      });
    });
  });
}

describe('CString', () => {
  test('CString is a primitive string', () => {
    const text = CString(native.get_text());
    assert.equal(typeof text, 'string');
    assert.equal(text, 'plain text');
    assert.equal(CString(BigInt(native.get_text())), 'plain text');
    assert.equal(CString(native.get_utf8()), 'grüß € 🎉');
    assert.equal(CString(native.get_broken_utf8()), 'a\ufffdb');
  });

  test('CString may be called with new', () => {
    assert.equal(`${new CString(native.get_text())}`, 'plain text');
    assert.equal(new CString(native.get_text(), 6, 3).length, 3);
  });

  test('CString takes an offset and a length in bytes', () => {
    assert.equal(CString(native.get_text(), 6), 'text');
    assert.equal(CString(native.get_text(), 0, 5), 'plain');
    assert.equal(CString(native.get_text(), 6, 2), 'te');
    assert.equal(CString(native.get_utf8(), 0, 4), 'grü');
  });

  test('NULL is the empty string', () => {
    assert.equal(CString(0), '');
    assert.equal(CString(0n), '');
    assert.equal(CString(null), '');
  });

  test('CString is a copy, safe after the memory changes', () => {
    const bytes = Buffer.from('before\0');
    const text = CString(ptr(bytes));
    bytes.fill(0x78);
    assert.equal(text, 'before');
  });

  test('CString reads long strings', () => {
    const bytes = Buffer.alloc(100_001, 'ab');
    bytes[100_000] = 0;
    assert.equal(CString(ptr(bytes)), 'ab'.repeat(50_000));
  });

  test('CString refuses addresses, offsets and lengths that cannot be', () => {
    for (const address of [1, 64, 4095, 4095n]) throws(() => CString(address), 'ERR_FFI_INVALID_POINTER');
    for (const address of noAddresses.filter((value) => value !== undefined && !isMemory(value)))
      throws(() => CString(address), 'ERR_INVALID_ARG_TYPE');
    for (const address of wildAddresses)
      throws(() => CString(address), ['ERR_OUT_OF_RANGE', 'ERR_FFI_INVALID_POINTER']);
    for (const length of [-1, NaN, 0.5, 2 ** 53])
      throws(() => CString(native.get_text(), 0, length), 'ERR_OUT_OF_RANGE');
    for (const length of ['4', {}, true]) throws(() => CString(native.get_text(), 0, length), 'ERR_INVALID_ARG_TYPE');
    for (const offset of ['4', {}, true]) throws(() => CString(native.get_text(), offset), 'ERR_INVALID_ARG_TYPE');
  });

  test('CString refuses a length that no string can have', async () => {
    const stdout = await runs(`
      const text = h.bindOne('get_text', [], 'ptr')();
      const lengths = [2 ** 40, 2 ** 47, 2 ** 52, Number.MAX_SAFE_INTEGER];
      console.log(lengths.map((length) => h.outcome(() => ffi.CString(text, 0, length))).join());
    `);
    for (const code of stdout.split(','))
      assert.match(code, /^ERR_(OUT_OF_RANGE|FFI_MEMORY_EXHAUSTED|FFI_INVALID_POINTER)$/);
  });
});

describe('a number of the first page, where C reads or writes memory', () => {
  const low = [1, 12, 4095, 12n, 4095n];
  const { pointer, inout, struct, array } = ffi;
  const library = ffi.dlopen(null, {
    strlen: { args: ['cstring'], returns: 'u64_fast' },
    wrapped: { name: 'strlen', args: ['cstring'], returns: 'u64_fast', wrap: true },
    guarded: { name: 'strlen', args: ['cstring'], returns: 'u64_fast', guard: true },
    atoi: { args: ['cstring'], returns: 'i32' },
    puts16: { name: 'strlen', args: ['utf16'], returns: 'u64_fast' },
    putsWide: { name: 'strlen', args: ['wstring'], returns: 'u64_fast' },
    time: { args: [pointer('i64')], returns: 'i64' },
    minimum: { name: 'time', args: [{ type: 'ptr', minBytes: 8 }], returns: 'i64' },
    minimumText: { name: 'strlen', args: [{ type: 'cstring', minBytes: 1 }], returns: 'u64_fast' },
    memset: { args: ['buffer', 'i32', 'u64'], returns: 'ptr' },
    nonblocking: { name: 'strlen', args: ['cstring'], returns: 'u64_fast', nonblocking: true },
    snprintf: { args: ['buffer', 'u64', 'cstring'], returns: 'i32', varargs: true },
    viaInout: { name: 'time', args: [inout('cstring')], returns: 'i64' },
  });
  const c = library.symbols;
  const refused = (call, message = /must be an address of memory \(.*, which is in the first page/) =>
    throws(call, 'ERR_FFI_INVALID_POINTER', message);

  test('a number of the first page is refused, and the message names the text that was probably meant', () => {
    for (const value of low) {
      for (const name of ['strlen', 'wrapped', 'guarded', 'atoi', 'puts16', 'putsWide', 'minimumText']) {
        refused(
          () => c[name](value),
          new RegExp(`^${name}: argument 0 must be .*received ${value}n?, .*; did you mean '${value}'\\?$`),
        );
      }
      refused(
        () => c.time(value),
        /time: argument 0 must be an address of memory \(pointer\(i64\)\), received \d+n?, which is in the first page$/,
      );
      refused(() => c.minimum(value));
      refused(
        () => c.memset(value, 0, 1),
        /^memset: argument 0 must be a typed array or DataView \(buffer\), received \d+n?, which is in the first page$/,
      );
      refused(() => c.strlen({ ptr: value }));
      refused(() => c.viaInout(value), /did you mean/);
      refused(() => c.snprintf(Buffer.alloc(16), 16, '%s', ['cstring', value]), /did you mean/);
    }
    assert.deepEqual([c.strlen('12'), c.atoi('12'), c.wrapped('12'), c.time(null), c.time(0)].slice(0, 3), [2, 12, 2]);
  });

  test('a number of the first page is refused by optimised code, too', () => {
    const address = ptr(Buffer.from('text\0'));
    const call = (value) => c.strlen(value);
    optimize(call, () => assert.equal(call(address), 4));
    for (let i = 0; i < 2000; i += 1) {
      for (const value of low) refused(() => call(value));
      assert.equal(call('text'), 4);
    }
  });

  test('a number of the first page rejects an asynchronous call', async () => {
    for (const value of low) {
      for (const name of ['strlen', 'puts16', 'time', 'minimum']) {
        await assert.rejects(c[name].async(value), { code: 'ERR_FFI_INVALID_POINTER' });
      }
      await assert.rejects(c.nonblocking(value), { code: 'ERR_FFI_INVALID_POINTER' });
    }
    const thread = library.thread();
    await assert.rejects(thread.symbols.strlen(5), { code: 'ERR_FFI_INVALID_POINTER' });
    thread.close();
  });

  test('a number of the first page is refused in fields and elements, and as the result of a callback', () => {
    const Texts = struct({ text: 'cstring', wide: 'utf16', number: pointer('i32'), any: 'ptr' });
    for (const value of low) {
      for (const field of ['text', 'wide', 'number']) {
        refused(
          () => Texts.alloc({ text: null, wide: null, number: null, any: null, [field]: value }),
          new RegExp(`field ${field} must be`),
        );
        const view = Texts.alloc();
        refused(() => {
          view[field] = value;
        });
      }
      refused(() => array('cstring', 2).alloc(['text', value]), /element \[1\]/);
      assert.equal(Texts.alloc({ text: null, wide: null, number: null, any: value }).any, Number(value));
      const callback = new JSCallback(() => value, { returns: 'cstring' });
      refused(() => ffi.CFunction({ ptr: callback.ptr, returns: 'ptr' })(), /return value must be/);
      callback.close();
    }
  });

  test('a number of the first page is taken for `ptr` and function pointers: it may be an offset, an id or SIG_IGN', () => {
    const same = bindOne('identity_ptr', ['ptr'], 'ptr');
    const sameFunction = bindOne('identity_ptr', ['function'], 'ptr');
    for (const value of low) assert.deepEqual([same(value), sameFunction(value)], [Number(value), Number(value)]);
    const call = (value) => same(value);
    optimize(call, () => assert.equal(call(8), 8));
  });

  test('a number of the first page is refused in the dialect of bun as well', () => {
    const bun = require('../../bun.js');
    const { strlen } = bun.dlopen(ffi.suffix === 'so' ? 'libc.so.6' : 'libc.dylib', {
      strlen: { args: ['cstring'], returns: 'u64_fast' },
    }).symbols;
    refused(() => strlen(5));
    assert.equal(strlen('12'), 2);
  });
});
