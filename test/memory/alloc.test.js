'use strict';
// alloc(): fenced memory of the package's own; and the settings of the fences, each in a process of its own.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, root, bind, throws, gc, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const { alloc, ptr, checkFences } = ffi;
const native = bind({
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  flip_at: { args: ['ptr', 'i64', 'u64'] },
  peek_at: { args: ['ptr', 'i64'], returns: 'u8' },
});

/** A child's declarations: `flip` and `told`, which says what a call came to. */
const prelude = `
  const { flip_at: flip, keep_ptr: keep, flip_kept: flipKept } = h.bind({ flip_at: { args: ['ptr', 'i64', 'u64'] },
    keep_ptr: { args: ['ptr'] }, flip_kept: { args: ['i64', 'u64'] } });
  const told = (view, offset, count) => {
    try { flip(view, offset, count); return 'nothing'; }
    catch (error) { return [error.code, error.byteLength, error.firstBadOffset, error.bytesPast].join(); }
  };
`;

describe('alloc', () => {
  test('alloc() gives a zeroed Buffer of any size, with fences on both sides', () => {
    for (const size of [
      0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 96, 255, 256, 4095, 4096, 4097, 65535, 65536, 1e6, 1e7,
    ]) {
      const buffer = alloc(size);
      assert.ok(Buffer.isBuffer(buffer));
      assert.equal(buffer.length, size);
      assert.ok(buffer.equals(Buffer.alloc(size)));
      native.fill_at(buffer, 0, 7, size);
      assert.ok(buffer.equals(Buffer.alloc(size, 7)));
      for (const count of [1, 16, 96, 128]) {
        const over = throws(() => native.flip_at(buffer, size, count), 'ERR_FFI_BUFFER_OVERFLOW');
        assert.deepEqual([over.byteLength, over.firstBadOffset, over.bytesPast], [size, size, count]);
      }
      const under = throws(() => native.flip_at(buffer, -64, 64), 'ERR_FFI_BUFFER_UNDERFLOW');
      assert.deepEqual([under.byteLength, under.firstBadOffset, under.bytesPast], [size, -1, 64]);
      assert.ok(buffer.equals(Buffer.alloc(size, 7)));
    }
    assert.equal(checkFences(), 0);
  });

  test('alloc() aligns to every power of two up to a megabyte, to 16 if not asked', () => {
    for (let align = 1; align <= 1 << 20; align *= 2) {
      for (const size of [1, 100, 5000]) {
        const buffer = alloc(size, { align });
        assert.equal(ptr(buffer) % Math.max(align, 16), 0);
        assert.equal(throws(() => native.flip_at(buffer, size, 3), 'ERR_FFI_BUFFER_OVERFLOW').bytesPast, 3);
        assert.equal(throws(() => native.flip_at(buffer, -3, 3), 'ERR_FFI_BUFFER_UNDERFLOW').bytesPast, 3);
      }
    }
    for (const align of [0, 3, -16, 2 ** 21, 1.5, NaN]) throws(() => alloc(8, { align }), 'ERR_OUT_OF_RANGE');
    for (const align of ['16', null, 16n]) throws(() => alloc(8, { align }), 'ERR_INVALID_ARG_TYPE');
    throws(() => alloc(8, { alignment: 16 }), 'ERR_INVALID_ARG_VALUE', /alignment/);
  });

  test('alloc() refuses sizes that are none or that no memory has, and the process goes on', async () => {
    for (const size of [-1, 1.5, NaN, Infinity, 2 ** 53]) throws(() => alloc(size), 'ERR_OUT_OF_RANGE');
    for (const size of ['8', null, undefined, {}]) throws(() => alloc(size), 'ERR_INVALID_ARG_TYPE');
    for (const size of [2 ** 44, 2 ** 46, 2 ** 47, 2 ** 53 - 1]) {
      for (const external of ['on', 'off']) {
        if (external === 'off') process.env.PINNED_FFI_EXTERNAL = 'off';
        try {
          throws(() => alloc(size), ['ERR_OUT_OF_RANGE', 'ERR_FFI_MEMORY_EXHAUSTED']);
        } finally {
          delete process.env.PINNED_FFI_EXTERNAL;
        }
      }
    }
    // More than a Buffer may have, where memory would have it.
    const output = await runs(`
      const size = Math.min(require('node:buffer').constants.MAX_LENGTH, 2 ** 33) + 1;
      if (size > require('node:buffer').constants.MAX_LENGTH) for (let i = 0; i < 3; i++) h.throws(() => ffi.alloc(size),
        ['ERR_FFI_MEMORY_EXHAUSTED', 'ERR_OUT_OF_RANGE']);
      h.gc().then(() => console.log('goes on', ffi.checkFences()));
    `);
    assert.equal(output, 'goes on 0');
  });

  test('alloc() does not touch the memory of a large Buffer', async () => {
    assert.ok(
      Number(
        await runs(`
      const before = process.memoryUsage().rss;
      const large = ffi.alloc(5e8);
      console.log((process.memoryUsage().rss - before) / 1e6 + large[4e8]);
    `),
      ) < 100,
      'half a gigabyte that nobody has written became resident',
    );
  });

  test('alloc() uses freed blocks again, zeroed, and stays flat', async () => {
    const addresses = new Set();
    let before = 0;
    const COUNT = byScale(20_000, 40_000);
    for (let i = 0; i < COUNT; i++) {
      const size = 1 + (i % 5) * 100;
      const buffer = alloc(size);
      assert.ok(buffer[0] === 0 && buffer[size - 1] === 0);
      buffer.fill(255);
      // Whose address was asked for is held in quarantine first: 4096 of them.
      if (i % 2 === 0) addresses.add(ptr(buffer));
      if (i % 1000 !== 0) continue;
      await gc();
      if (i === COUNT / 4) before = process.memoryUsage().rss;
    }
    assert.ok(addresses.size < COUNT / 2 - 1000, `${addresses.size} addresses of ${COUNT / 2} are different`);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 30e6, `resident memory has grown by ${grown} bytes`);
  });

  test('memory of alloc() is counted by V8, which collects in time', async () => {
    const { external } = process.memoryUsage();
    const buffer = alloc(5e6);
    const more = process.memoryUsage().external - external;
    assert.ok(more >= 5e6 && more < 11e6 && buffer.length === 5e6, `V8 was told of ${more} bytes`);
    let most = 0;
    const COUNT = byScale(1500, 3000);
    for (let i = 0; i < COUNT; i++) {
      alloc(1e6)[0] = 1;
      most = Math.max(most, process.memoryUsage().external);
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(most < external + 1e9, `${most} bytes were held at once of ${COUNT} MB`);
  });

  test('alloc() behaves the same where external buffers are refused', async () => {
    const code = `${prelude}
      const seen = [ffi.fences().installed];
      process.on('warning', (warning) => seen.push([warning.code, warning.found, warning.byteLength, warning.firstBadOffset,
        warning.bytesPast, warning.symbol].join()));
      for (const size of [0, 1, 17, 64, 100, 5000, 1e6]) {
        for (const align of [1, 64, 4096]) {
          const buffer = ffi.alloc(size, { align });
          seen.push(size > 0 && ffi.ptr(buffer) % Math.max(align, 16), buffer.length, buffer.every((byte) => byte === 0));
          seen.push(told(buffer, size, 20), told(buffer, -20, 20), told(buffer, 0, size));
          if (size < 17) continue;
          seen.push(told(buffer.subarray(10), size - 10, 5), told(new DataView(buffer.buffer, buffer.byteOffset + 4, 8), size - 4, 5));
          seen.push(told(ffi.ptr(buffer), size, 5), told(ffi.ptr(buffer, 8), size - 8, 5));
        }
      }
      (async () => {
        // An engine frees its own memory without asking, so that nothing can be found late.
        if (process.env.PINNED_FFI_EXTERNAL === 'off') return console.log(JSON.stringify(seen));
        let parent = ffi.alloc(100);
        const part = parent.subarray(20);
        parent = null;
        await h.gc(); await h.gc();
        seen.push(told(part, 80, 3), told(part, -22, 2));
        // Overflown outside of a call and then freed; and written after it was freed.
        (() => keep(ffi.alloc(50)))();
        flipKept(50, 3);
        for (let i = 0; i < 5; i++) await h.gc();
        (() => keep(ffi.alloc(60)))();
        await h.gc(); await h.gc();
        flipKept(5, 3);
        seen.push(ffi.checkFences());
        await h.gc();
        console.log(JSON.stringify(seen));
      })();
    `;
    // The guard has the fence of a view where the view ends.
    const env = { PINNED_FFI_FENCE: 'off', PINNED_FFI_GUARD: '' };
    const usual = await runs(code, { env });
    assert.match(usual, /ERR_FFI_BUFFER_OVERFLOW,freed,50,50,3,keep_ptr.*quarantine/);
    const inside = JSON.parse(await runs(code, { env: { ...env, PINNED_FFI_EXTERNAL: 'off' } }));
    assert.deepEqual(inside, JSON.parse(usual).slice(0, inside.length));
    const fenced = JSON.parse(
      await runs(code, { env: { PINNED_FFI_EXTERNAL: 'off', PINNED_FFI_FENCE: '', PINNED_FFI_GUARD: '' } }),
    );
    assert.deepEqual(fenced, [true, ...inside.slice(1)]);
  });
});

describe('PINNED_FFI_FENCE', () => {
  const look = `${prelude} const { installed, reason, before, after } = ffi.fences();
    console.log(JSON.stringify({ installed, reason, before, after }), told(new Uint8Array(96), 96, 96),
      told(Buffer.from('pooled'), 6, 3), told(ffi.alloc(10), 10, 3), ffi.checkFences());`;
  const overflow = (size, past) => `ERR_FFI_BUFFER_OVERFLOW,${size},${size},${past}`;
  const rest = `${overflow(6, 3)} ${overflow(10, 3)} 0`;

  test('PINNED_FFI_FENCE=on, and no setting, install the fence with the default widths', async () => {
    const widths = '{"installed":true,"before":64,"after":128}';
    for (const setting of ['', 'on']) {
      assert.equal(await runs(look, { env: { PINNED_FFI_FENCE: setting } }), `${widths} ${overflow(96, 96)} ${rest}`);
    }
  });

  test('PINNED_FFI_FENCE=off leaves the allocator alone, and pool slices and alloc() are still watched', async () => {
    const output = await runs(look.replace('told(new Uint8Array(96), 96, 96)', '"-"'), {
      env: { PINNED_FFI_FENCE: 'off' },
    });
    const state = '{"installed":false,"reason":"PINNED_FFI_FENCE=off","before":64,"after":128}';
    assert.equal(output, `${state} - ${rest}`);
  });

  test('a number in PINNED_FFI_FENCE is the width of both fences', async () => {
    for (const [setting, before, after] of [
      ['64', 64, 128],
      ['65', 80, 128],
      ['4096', 4096, 4096],
      ['1048576', 1048576, 1048576],
    ]) {
      const output = await runs(
        `${look} console.log(told(new Uint8Array(9), 9, ${after}), told(Buffer.alloc(9), -${before}, ${before}));
        flip(new Uint8Array(5), 5 + ${after} - 1, ${after > 128 ? 1 : 0}); console.log(ffi.checkFences());`,
        { env: { PINNED_FFI_FENCE: setting } },
      );
      const [state, sides, far] = output.split('\n');
      assert.equal(state, `{"installed":true,"before":${before},"after":${after}} ${overflow(96, 96)} ${rest}`);
      assert.equal(sides, `${overflow(9, after)} ERR_FFI_BUFFER_UNDERFLOW,9,-1,${before}`);
      assert.equal(far, after > 128 ? '1' : '0', 'the far end is checked by checkFences()');
    }
  });

  test('any other setting of PINNED_FFI_FENCE is refused by name', async () => {
    for (const setting of ['wide', '63', '-1', '1048577', '64.5', '1e3', ' 64', '99999999999']) {
      const load = `try { require(${JSON.stringify(root)}); } catch (error) { console.log(error.code, error.message); }`;
      const file = path.join(os.tmpdir(), `pinned-ffi-${process.pid}.js`);
      fs.writeFileSync(file, load);
      const { execFileSync } = require('node:child_process');
      const output = execFileSync(process.execPath, [file], {
        env: { ...process.env, PINNED_FFI_FENCE: setting },
        encoding: 'utf8',
      });
      fs.rmSync(file);
      assert.match(output, /^ERR_INVALID_ARG_VALUE PINNED_FFI_FENCE must be .*'/);
    }
  });

  test('the fence is installed without a JIT compiler, and not on an engine that is not verified', async () => {
    const jitless = await runs(look, { flags: ['--jitless'] });
    assert.match(jitless, /"installed":true.*ERR_FFI_BUFFER_OVERFLOW,96,96,96 /);
    const pretend = (versions) => {
      const file = path.join(os.tmpdir(), `pinned-ffi-versions-${process.pid}.cjs`);
      fs.writeFileSync(
        file,
        `Object.defineProperty(process, 'versions', { value: { ...process.versions, ...${JSON.stringify(versions)} } });`,
      );
      return runs(look.replace('told(new Uint8Array(96), 96, 96)', '"-"'), { flags: ['-r', file] }).finally(() =>
        fs.rmSync(file),
      );
    };
    assert.match(
      await pretend({ modules: '999' }),
      new RegExp(`"installed":false,"reason":"not verified on Node v.*} - ${rest}`),
    );
    assert.match(
      await pretend({ electron: '99.0.0' }),
      new RegExp(`"installed":false,"reason":"not verified on electron".*} - ${rest}`),
    );
    const debugging = await runs(look.replace('told(new Uint8Array(96), 96, 96)', '"-"'), {
      flags: ['--debug-arraybuffer-allocations'],
    });
    assert.match(debugging, /"installed":false,"reason":"the allocator is not Node's own/);
  });
});
