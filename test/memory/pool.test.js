'use strict';
// Slices of Node's Buffer pool, which are adjacent in one slab: the bytes around them are restored after the call.

const assert = require('node:assert/strict');
const { randomFill } = require('node:crypto');
const { after: cleanUp, before: prepare, describe, test } = require('node:test');
const { promisify } = require('node:util');
const { ffi, bind, bindOne, makeRandom, optimize, throws, gc, run, runs } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const { JSCallback, ptr, pin, fences, struct } = ffi;
// PINNED_FFI_GUARD=1 turns the pool off.
Buffer.poolSize ||= 8192;
const native = bind({
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  flip_at: { args: ['ptr', 'i64', 'u64'] },
  flip_two_at: { args: ['ptr', 'i64', 'ptr', 'i64', 'u64'] },
  flip_then_call: { args: ['ptr', 'i64', 'u64', 'function'] },
  call_then_flip: { args: ['function', 'ptr', 'i64', 'u64'] },
  copy_bytes: { args: ['ptr', 'ptr', 'u64'] },
  fill_bytes_later: { args: ['ptr', 'u64', 'u8', 'u32'] },
  sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
});
const { before, after } = fences();

/** `count` slices of 32 bytes that lie side by side in one slab; each is filled with its index + 1. */
function makeSlices(count = 9, size = 32) {
  for (;;) {
    const slices = Array.from({ length: count }, (_, i) => Buffer.allocUnsafe(size).fill(i + 1));
    const adjacent = slices.every(
      (slice, i) => slice.buffer === slices[0].buffer && slice.byteOffset === slices[0].byteOffset + i * size,
    );
    if (adjacent && slices[0].byteOffset > before && slices[0].byteOffset < Buffer.poolSize / 2) return slices;
  }
}
const isWhole = (slices, ...except) =>
  slices.forEach((slice, i) =>
    assert.ok(except.includes(i) || slice.every((byte) => byte === i + 1), `slice ${i} has changed`),
  );
const figures = ({ argument, byteLength, firstBadOffset, bytesPast }) => [
  argument,
  byteLength,
  firstBadOffset,
  bytesPast,
];
const over = (fn) => figures(throws(fn, 'ERR_FFI_BUFFER_OVERFLOW'));
const under = (fn) => figures(throws(fn, 'ERR_FFI_BUFFER_UNDERFLOW'));

// While a callback is open, the generic call has to be ready for it; else the register call watches the slices.
for (const isOpen of [false, true]) {
  const where = isOpen ? ', while a callback is open' : '';
  describe(`calls with slices${where}`, () => {
    let callback;
    prepare(() => {
      if (isOpen) callback = new JSCallback(() => {}, {});
    });
    cleanUp(() => callback?.close());

    describe(`a slice of the pool${where}`, () => {
      test(`a slice of the pool is in a slab that others share${where}`, () => {
        const [a, b] = makeSlices();
        assert.equal(a.buffer, b.buffer);
        assert.equal(ptr(b), ptr(a) + 32);
      });

      test(`a slice of the pool that is overflown leaves its neighbours as they were${where}`, () => {
        const slices = makeSlices();
        for (const count of [1, 16, 31, 32, 33, 96, after]) {
          assert.deepEqual(
            over(() => native.flip_at(slices[4], 32, count)),
            [0, 32, 32, count],
          );
          isWhole(slices);
        }
        for (const count of [1, 16, before]) {
          assert.deepEqual(
            under(() => native.flip_at(slices[4], -count, count)),
            [0, 32, -1, count],
          );
          isWhole(slices);
        }
        assert.deepEqual(
          over(() => native.flip_at(slices[4], 40, 3)),
          [0, 32, 40, 11],
        );
        // Both sides, with the slice itself.
        over(() => native.fill_at(slices[4], -20, 200, 72));
        assert.ok(slices[4].every((byte) => byte === 200));
        isWhole(slices, 4);
      });

      test(`a slice of every maker is watched, from the first to the last of a slab${where}`, () => {
        const makers = [
          () => Buffer.from('abc'),
          () => Buffer.allocUnsafe(3),
          () => Buffer.from([1, 2, 3]),
          () => Buffer.concat([Buffer.from('ab'), Buffer.from('c')]),
        ];
        for (let i = 0; i < 8000; i++) {
          const make = makers[i % makers.length];
          const left = Buffer.from('the left neighbour');
          const view = make();
          const right = Buffer.from('the right neighbour');
          throws(() => native.flip_at(view, 3, 50), 'ERR_FFI_BUFFER_OVERFLOW');
          throws(() => native.flip_at(view, -30, 30), 'ERR_FFI_BUFFER_UNDERFLOW');
          assert.equal(`${left} ${right}`, 'the left neighbour the right neighbour');
        }
      });

      test(`a slice of the pool may be filled to its last byte, and only it changes${where}`, () => {
        const slices = makeSlices();
        native.fill_at(slices[4], 0, 99, 32);
        assert.ok(slices[4].every((byte) => byte === 99));
        isWhole(slices, 4);
      });

      test(`a slice of the pool is watched by its own bounds when it is seen as another view${where}`, () => {
        const slices = makeSlices();
        const { buffer, byteOffset } = slices[4];
        for (const view of [
          new Uint8Array(buffer, byteOffset, 32),
          new DataView(buffer, byteOffset, 32),
          new Int32Array(buffer, byteOffset, 8),
        ]) {
          assert.deepEqual(
            over(() => native.flip_at(view, 32, 20)),
            [0, 32, 32, 20],
          );
          isWhole(slices);
        }
        assert.deepEqual(
          over(() => native.flip_at(slices[4].subarray(0, 10), 10, 4)),
          [0, 10, 10, 4],
        );
        isWhole(slices);
      });
    });

    describe(`two slices in one call${where}`, () => {
      test(`two slices in one call may both be written, side by side, apart, overlapping or the same${where}`, () => {
        for (const [a, b] of [
          [3, 4],
          [4, 3],
          [2, 6],
          [4, 4],
        ]) {
          const slices = makeSlices();
          native.copy_bytes(slices[a], slices[b], 32);
          assert.ok(slices[a].every((byte) => byte === b + 1));
          isWhole(slices, a);
          native.flip_two_at(slices[a], 0, slices[b], 0, 32);
          isWhole(slices, a, b);
        }
        const slices = makeSlices();
        slices[4].set(Array.from({ length: 32 }, (_, i) => i));
        native.copy_bytes(slices[4].subarray(3), slices[4], 29);
        assert.deepEqual(
          [...slices[4].subarray(3)],
          Array.from({ length: 29 }, (_, i) => i),
        );
        isWhole(slices, 4);
      });

      test(`two slices in one call are not confused: bytes beyond both are put back, and the right argument is named${where}`, () => {
        const slices = makeSlices();
        assert.deepEqual(
          over(() => native.flip_two_at(slices[3], 0, slices[6], 32, 5)),
          [2, 32, 32, 5],
        );
        isWhole(slices, 3);
        slices[3].fill(4);
        assert.deepEqual(
          over(() => native.flip_two_at(slices[3], 32, slices[6], 0, 5)),
          [0, 32, 32, 5],
        );
        isWhole(slices, 6);
      });
    });

    test(`a slice and another Buffer in one call are not confused${where}`, () => {
      const [slices, own] = [makeSlices(), Buffer.alloc(32)];
      for (const count of [1, 30]) {
        assert.deepEqual(
          over(() => native.flip_two_at(own, 0, slices[4], 32, count)),
          [2, 32, 32, count],
        );
        assert.deepEqual(
          over(() => native.flip_two_at(own, 32, slices[4], 0, count)),
          [0, 32, 32, count],
        );
        assert.deepEqual(
          under(() => native.flip_two_at(slices[4], -count, own, 0, count)),
          [0, 32, -1, count],
        );
        isWhole(slices, 4);
      }
    });

    test(`a part of a Buffer and an ArrayBuffer are passed as they are, with the fences of their memory${where}`, () => {
      const own = Buffer.alloc(300);
      const part = own.subarray(100, 132);
      native.fill_at(part, 0, 7, 32);
      assert.deepEqual([own.indexOf(7), own.lastIndexOf(7)], [100, 131]);
      native.flip_two_at(part, -100, own.subarray(200), 0, 100);
      assert.ok(own.subarray(0, 100).every((byte) => byte === 255));
      assert.deepEqual(
        over(() => native.flip_at(part, 200, 9)),
        [0, 32, 200, 9],
      );
      assert.deepEqual(
        under(() => native.flip_two_at(makeSlices()[4], 0, part, -104, 4)),
        [2, 32, -101, 4],
      );
      const { buffer } = own;
      native.fill_at(buffer, 0, 3, 300);
      assert.ok(own.every((byte) => byte === 3));
      assert.deepEqual(
        over(() => native.flip_at(buffer, 300, 5)),
        [0, 300, 300, 5],
      );
      assert.deepEqual(
        over(() => native.flip_at(new DataView(buffer, 8), 292, 5)),
        [0, 292, 292, 5],
      );
    });

    test(`a slice is watched beside an address of another slice and an address of a Buffer${where}`, () => {
      const [slices, own] = [makeSlices(), Buffer.alloc(32)];
      const [near, far] = [ptr(slices[6]), ptr(own)];
      for (const other of [near, far]) {
        native.copy_bytes(slices[2], other, 32);
        native.copy_bytes(other, slices[2], 32);
        assert.deepEqual(
          over(() => native.flip_two_at(slices[2], 32, other, 0, 3)),
          [0, 32, 32, 3],
        );
        assert.deepEqual(
          over(() => native.flip_two_at(slices[2], 0, other, 32, 3)),
          [2, 32, 32, 3],
        );
      }
      isWhole(slices, 2, 6);
    });
  });
}

describe('random calls', () => {
  const kinds = {
    slice: [32, ({ slices }, i) => slices[i]],
    'a part of a slice': [17, ({ slices }, i) => slices[i].subarray(3, 20)],
    'a DataView of a slice': [32, ({ slices }, i) => new DataView(slices[i].buffer, slices[i].byteOffset, 32)],
    'a Buffer': [200, ({ own }) => own],
    'a part of a Buffer': [40, ({ own }) => own.subarray(50, 90)],
    'an ArrayBuffer': [200, ({ own }) => own.buffer],
    'the address of a slice': [32, ({ slices }, i) => ptr(slices[i])],
    'the address of a Buffer': [200, ({ own }) => ptr(own)],
  };
  const names = Object.keys(kinds);

  /** What a call leaves: its error, and the bytes of everything near. */
  function outcomeOf({ first, second, count }) {
    const world = { slices: makeSlices(), own: Buffer.alloc(200, 77) };
    const [a, b] = [first, second].map(({ kind, index }) => kinds[kind][1](world, index));
    let outcome = 'no error';
    try {
      native.flip_two_at(a, first.offset, b, second.offset, count);
    } catch (error) {
      outcome = [error.code, ...figures(error)];
    }
    return [outcome, ...world.slices.map((slice) => slice.toString('hex')), world.own.toString('hex')];
  }

  test('random calls do the same while a callback is open and while none is', () => {
    const random = makeRandom(Number(process.env.PINNED_FFI_TEST_SEED ?? 7));
    const below = (most) => Math.floor(random() * most);
    const argument = () => {
      const kind = names[below(names.length)];
      const [length] = kinds[kind];
      const offset = [0, length - below(6), -below(20), below(length + 10)][below(4)];
      return { kind, index: 2 + below(5), offset };
    };
    let errors = 0;
    for (let i = 0; i < byScale(1000, 15_000); i += 1) {
      const plan = { first: argument(), second: argument(), count: 1 + below(24) };
      const alone = outcomeOf(plan);
      const callback = new JSCallback(() => {}, {});
      const open = outcomeOf(plan);
      callback.close();
      assert.deepEqual(alone, open, JSON.stringify(plan));
      if (alone[0] !== 'no error') errors += 1;
    }
    assert.ok(errors > 300, `${errors} calls have failed`);
  });
});

describe('callbacks during a call with a slice', () => {
  test('callbacks during a call with a slice may write the neighbours: what JavaScript wrote stays, what C wrote before and after it is put back', () => {
    const slices = makeSlices();
    const callback = new JSCallback(() => {
      isWhole(slices);
      slices[5].fill(50);
      slices[3].fill(30);
    }, {});
    assert.deepEqual(
      over(() => native.flip_then_call(slices[4], 32, 20, callback)),
      [0, 32, 32, 20],
    );
    assert.ok(slices[5].every((byte) => byte === 50) && slices[3].every((byte) => byte === 30));
    isWhole(slices, 3, 5);
    slices[5].fill(6);
    slices[3].fill(4);
    assert.deepEqual(
      over(() => native.call_then_flip(callback, slices[4], 32, 70)),
      [1, 32, 32, 70],
    );
    assert.ok(slices[5].every((byte) => byte === 50) && slices[3].every((byte) => byte === 30));
    isWhole(slices, 3, 5);
    callback.close();
  });

  test('callbacks during a call with a slice may make, drop and fill slices of the same slab without being blamed', async () => {
    const kept = [];
    const callback = new JSCallback(() => {
      for (let i = 0; i < 40; i++) kept.push(Buffer.from('made in a callback'));
    }, {});
    for (let i = 0; i < 200; i++) native.call_then_flip(callback, Buffer.allocUnsafe(32), 0, 32);
    assert.ok(kept.every((text) => text.toString() === 'made in a callback'));
    callback.close();
    await gc();
  });

  test('callbacks during a call with a slice may write a neighbour and then cause a callback of a callback', () => {
    const slices = makeSlices();
    const nothing = new JSCallback(() => {}, {});
    const callback = new JSCallback(() => {
      slices[5].fill(77);
      native.call_then_flip(nothing, new Uint8Array(8), 0, 8);
      assert.ok(
        slices[5].every((byte) => byte === 77),
        'what the callback wrote was taken back',
      );
    }, {});
    native.call_then_flip(callback, slices[4], 0, 32);
    assert.ok(slices[5].every((byte) => byte === 77));
    isWhole(slices, 4, 5);
    callback.close();
    nothing.close();
  });

  test('callbacks during a call with a slice may call with a neighbour, deeply: every level keeps what is its own', () => {
    const slices = makeSlices(12);
    let depth = 0;
    const callback = new JSCallback(() => {
      depth++;
      const at = depth + 1;
      native.fill_at(slices[at], 0, 100 + depth, 32);
      assert.deepEqual(
        over(() => native.flip_at(slices[at], 32, 10)),
        [0, 32, 32, 10],
      );
      if (depth < 5) native.call_then_flip(callback, slices[at], 0, 1);
    }, {});
    assert.deepEqual(
      over(() => native.call_then_flip(callback, slices[1], 32, 40)),
      [1, 32, 32, 40],
    );
    for (let level = 1; level <= 5; level++) {
      const [first, ...rest] = slices[level + 1];
      assert.equal(first, level < 5 ? (100 + level) ^ 255 : 105);
      assert.ok(
        rest.every((byte) => byte === 100 + level),
        `slice ${level + 1} holds ${rest}`,
      );
    }
    isWhole(slices, 2, 3, 4, 5, 6);
    callback.close();
  });
});

describe('the size of the pool', () => {
  const TIMES = byScale(1000, 3000);
  const code = `
    const { flip_at: flip } = h.bind({ flip_at: { args: ['ptr', 'i64', 'u64'] } });
    let thrown = 0;
    for (let i = 0; i < ${TIMES}; i++) {
      const [left, view, right] = [Buffer.from('left'), Buffer.from('view'), Buffer.from('right')];
      try { flip(view, 4, 20); } catch { thrown++; }
      try { flip(view, -10, 10); } catch { thrown++; }
      if (left.toString() + right !== 'leftright') throw new Error('a neighbour has changed');
    }
    console.log(thrown);`;

  test('the size of the pool may change after the package was loaded', async () => {
    for (const size of [0, 1024, 10000, 131072]) {
      assert.equal(await runs(`Buffer.poolSize = ${size}; ${code}`), `${2 * TIMES}`, `Buffer.poolSize = ${size}`);
    }
  });

  test('the size of the pool does not matter without the fence in front of the allocator, inside of the slab', async () => {
    assert.equal(await runs(code.replace(TIMES, '20'), { env: { PINNED_FFI_FENCE: 'off' } }), '40');
  });
});

describe('an address of a slice', () => {
  const ways = {
    'ptr()': (slice) => ptr(slice),
    'pin().ptr': (slice) => pin(slice).ptr,
    'ptr() of another view of it': ({ buffer, byteOffset }) => ptr(new DataView(buffer, byteOffset, 32)),
  };
  for (const [name, addressOf] of Object.entries(ways)) {
    test(`an address of a slice from ${name} is watched as the slice itself is`, () => {
      for (let i = 0; i < 150; i++) {
        const slices = makeSlices();
        const address = addressOf(slices[4]);
        native.fill_at(address, 0, 99, 32);
        assert.ok(slices[4].every((byte) => byte === 99));
        const count = 1 + (i % 96);
        assert.deepEqual(
          over(() => native.flip_at(address, 32, count)),
          [0, 32, 32, count],
        );
        const less = 1 + (i % 64);
        assert.deepEqual(
          under(() => native.flip_at(address, -less, less)),
          [0, 32, -1, less],
        );
        isWhole(slices, 4);
      }
    });
  }

  test('an address of a slice is watched where the pool was off while the package was loaded, and is on later', async () => {
    const said = await runs(
      `
      const { flip_at } = h.bind({ flip_at: { args: ['ptr', 'i64', 'u64'] } });
      Buffer.poolSize = 8192;
      let slice;
      do slice = Buffer.allocUnsafe(32); while (slice.buffer.byteLength < 8192 || slice.buffer.byteLength > 16384 || slice.byteOffset < 256);
      try { flip_at(ffi.ptr(slice), 32, 10); console.log('nothing'); } catch (error) { console.log(error.code); }
    `,
      { env: { PINNED_FFI_GUARD: '1' } },
    );
    assert.equal(said, 'ERR_FFI_BUFFER_OVERFLOW');
  });

  test('an address of a slice is watched in optimised code', () => {
    const slices = makeSlices();
    const address = ptr(slices[4]);
    const call = (at, count) => native.flip_at(address, at, count);
    optimize(call, () => call(0, 32));
    for (let i = 0; i < 1000; i++)
      assert.deepEqual(
        over(() => call(32, 10)),
        [0, 32, 32, 10],
      );
    isWhole(slices, 4);
  });

  test('an address of a slice may be written with what C was given by another address of the slab', () => {
    const slices = makeSlices();
    const Pair = struct({ first: 'ptr', second: 'ptr' });
    const pair = Pair.alloc({ first: slices[3], second: slices[5] });
    const library = ffi.cc({
      source: String.raw`
        #include <string.h>
        void fill_pair(void **pair, char *between) {
          memset(pair[0], 7, 32);
          memset(between, 8, 32);
          memset(pair[1], 9, 32);
        }`,
      symbols: { fill_pair: { args: ['ptr', 'ptr'] } },
    });
    library.symbols.fill_pair(pair, slices[4]);
    library.symbols.fill_pair(pair, ptr(slices[4]));
    for (const [i, value] of [
      [3, 7],
      [4, 8],
      [5, 9],
    ])
      assert.ok(slices[i].every((byte) => byte === value));
    isWhole(slices, 3, 4, 5);
    library.close();
  });

  test('an address of a slice is no address of a slice once its slab was collected', async () => {
    (() => {
      for (let i = 0; i < 200; i++) ptr(makeSlices()[4]);
    })();
    await gc();
    const view = new Uint8Array(64);
    native.fill_at(ptr(view), 0, 5, 64);
    assert.ok(view.every((byte) => byte === 5));
  });
});

describe('a slice whose neighbours others write during a synchronous call', () => {
  const sum = (slice) => native.sum_bytes_later(slice, 32, 20);

  test('a slice is read while an asynchronous call fills the neighbour: nothing is lost, and nothing thrown', async () => {
    for (const lend of [(slice) => slice, (slice) => ptr(slice)]) {
      const slices = makeSlices();
      const filled = native.fill_bytes_later.async(lend(slices[3]), 32, 0xaa, 5);
      assert.equal(sum(slices[4]), 32n * 5n);
      await filled;
      assert.ok(slices[3].every((byte) => byte === 0xaa));
      isWhole(slices, 3);
    }
  });

  test('a slice is read while Node fills the neighbour', async () => {
    for (let i = 0; i < 20; i++) {
      const slices = makeSlices();
      const filled = promisify(randomFill)(slices[3]);
      assert.equal(sum(slices[4]), 32n * 5n);
      await filled;
      assert.ok(!slices[3].every((byte) => byte === 4), 'random bytes were put back');
    }
  });

  test('a slice is watched again when the writers of its neighbours are done', async () => {
    const slices = makeSlices();
    await promisify(randomFill)(slices[3]);
    slices[3].fill(4);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      over(() => native.flip_at(slices[4], 32, 20)),
      [0, 32, 32, 20],
    );
    isWhole(slices);
  });

  test('a slice is not watched while Node works, for a callback may have started it', async () => {
    const slices = makeSlices();
    let filled;
    const callback = new JSCallback(() => {
      filled ??= promisify(randomFill)(slices[5]);
    }, {});
    native.call_then_flip(callback, slices[4], 0, 32);
    const wait = bindOne('call_then_sum', ['function', 'ptr', 'u64'], 'u64');
    wait(callback, slices[4], 32);
    await filled;
    assert.ok(!slices[5].every((byte) => byte === 6));
    callback.close();
  });

  test('calls under load lose no byte, whoever writes beside them', async () => {
    const result = await run({
      file: 'test/stress/pool.mjs',
      args: [String(byScale(10_000, 100_000))],
      timeout: 300_000,
    });
    assert.equal(result.code, 0, result.stderr);
  });
});

/**
 * A slab that has just begun, zeroed: bytes of earlier users may be addresses, which lead to slices that C may write.
 */
function newSlab() {
  const { buffer: old } = Buffer.allocUnsafe(8);
  for (;;) {
    const { buffer } = Buffer.allocUnsafe(8);
    if (buffer !== old) return new Uint8Array(buffer).fill(0).buffer;
  }
}

describe('an overflow that runs out of the slab', () => {
  test('an overflow that runs out of the slab is reported with all of its bytes', () => {
    // At the very end and start of a slab no slice needs to be: views of it stand for them.
    const buffer = newSlab();
    for (let gap = 0; gap < 20; gap++) {
      const slice = new Uint8Array(buffer, buffer.byteLength - 40 - gap, 40);
      assert.deepEqual(
        over(() => native.flip_at(slice, 40, 20)),
        [0, 40, 40, 20],
      );
      const first = new Uint8Array(buffer, gap, 40);
      assert.deepEqual(
        under(() => native.flip_at(first, -20, 20)),
        [0, 40, -1, 20],
      );
    }
  });
});

describe('what only has the size of a slab', () => {
  const size = () => Buffer.allocUnsafe(1).buffer.byteLength;

  test(
    'a Buffer that only has the size of a slab is one piece of memory: C may write all of it',
    { skip: onlyOn('unguarded', 'knowsSlabs') },
    () => {
      for (const arena of [new ArrayBuffer(size()), new SharedArrayBuffer(size()), Buffer.alloc(size()).buffer]) {
        native.fill_at(new Uint8Array(arena, 100, 50), -100, 7, 300);
        assert.ok(new Uint8Array(arena, 0, 300).every((byte) => byte === 7));
      }
    },
  );
});

describe('an address in a slab that came in another way', () => {
  const later = (target, value) => native.fill_bytes_later.async(target, 32, value, 5);
  const sum = (slice) => native.sum_bytes_later(slice, 32, 20);
  const ways = {
    'an offset from the address of the whole slab': ({ buffer, byteOffset }) => ptr(buffer, byteOffset),
    'a pin of the whole slab': ({ buffer, byteOffset }) => pin(new Uint8Array(buffer)).ptr + byteOffset,
    'a Buffer over a number of it': (slice) => ffi.toBuffer(ptr(slice), 0, 32),
  };
  for (const [name, addressOf] of Object.entries(ways)) {
    test(`an address in a slab may be written meanwhile when it came in another way: ${name}`, async () => {
      const slices = makeSlices();
      const filled = later(addressOf(slices[3]), 0xaa);
      assert.equal(sum(slices[4]), 32n * 5n);
      await filled;
      assert.ok(slices[3].every((byte) => byte === 0xaa));
      isWhole(slices, 3);
    });
  }

  // strtok_r keeps where it is in a variable of its caller. The guard would pass it the address of a copy.
  test(
    'an address in a slab may be written where memory that C was passed has it from an earlier call',
    { skip: onlyOn('posix') },
    () => {
      const args = ['ptr', 'cstring', 'ptr'];
      const { strtok_r: next } = ffi.dlopen(null, { strtok_r: { args, returns: 'cstring', guard: false } }).symbols;
      const state = () => [Buffer.allocUnsafe(8), ffi.alloc(8), new BigUint64Array(1)];
      for (let i = 0; i < 3; i += 1) {
        const text = Buffer.from('a,bc,d\0');
        const kept = state()[i];
        const other = Buffer.from('neighbour');
        assert.deepEqual([next(text, ',', kept), next(null, ',', kept), next(null, ',', kept)], ['a', 'bc', 'd']);
        assert.deepEqual([next(null, ',', kept), text.toString(), other.toString()], [null, 'a\0bc\0d\0', 'neighbour']);
      }
      const slices = makeSlices();
      const same = bindOne('identity_ptr', ['ptr'], 'ptr', { guard: false });
      const fillAll = ffi.cc({
        source:
          '#include <string.h>\nstruct piece { char *at; size_t size; };\n' +
          'void fill_all(struct piece *list, int n, char *own) {' +
          ' memset(own, 5, 32); for (int i = 0; i < n; i++) memset(list[i].at, 9, list[i].size); }\n' +
          'void fill_one(struct piece piece, char *own) { fill_all(&piece, 1, own); }',
        symbols: {
          fill_all: { args: ['ptr', 'int', 'ptr'], guard: false },
          fill_one: { args: [struct({ at: 'ptr', size: 'size_t' }), 'ptr'], guard: false },
        },
      });
      const list = BigUint64Array.of(BigInt(same(slices[3])), 32n, BigInt(same(slices[5])), 32n);
      fillAll.symbols.fill_all(list, 2, slices[4]);
      assert.ok([slices[3], slices[5]].every((slice) => slice.every((byte) => byte === 9)));
      isWhole(slices, 3, 5);
      fillAll.symbols.fill_one({ at: same(slices[6]), size: 32 }, slices[4]);
      assert.ok(slices[6].every((byte) => byte === 9));
      isWhole(slices, 3, 5, 6);
      fillAll.close();
    },
  );

  test('an address in a slab may be written when a callback has returned it', () => {
    const library = ffi.cc({
      source: String.raw`
        #include <string.h>
        void fill_returned(void *(*next)(void), char *own) { memset(own, 1, 32); memset(next(), 2, 32); }`,
      symbols: { fill_returned: { args: ['function', 'ptr'] } },
    });
    const slices = makeSlices();
    const address = ptr(slices[5].buffer) + slices[5].byteOffset;
    for (const result of [() => slices[5], () => address]) {
      const callback = new JSCallback(result, { returns: 'ptr' });
      library.symbols.fill_returned(callback, slices[4]);
      assert.ok(slices[4].every((byte) => byte === 1) && slices[5].every((byte) => byte === 2));
      slices[5].fill(6);
      callback.close();
    }
    isWhole(slices, 4);
    library.close();
  });
});
