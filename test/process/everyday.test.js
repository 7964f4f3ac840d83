'use strict';
// Everyday programs behave as before once the package is loaded: sockets, streams, crypto, transfers.
// Run on the oldest and the newest patch release of each major, because Node's allocator has changed within majors.

const assert = require('node:assert/strict');
const { execFile, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { Readable } = require('node:stream');
const { buffer, text } = require('node:stream/consumers');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const v8 = require('node:v8');
const { Worker } = require('node:worker_threads');
const zlib = require('node:zlib');
const { ffi, bind, throws, gc, makeFolder, runs } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const long = 'a line of text, which is not short\n'.repeat(3000);

describe('with the package loaded', () => {
  test('sockets carry short and long messages', async () => {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (const message of ['short', long]) {
      const socket = net.connect(server.address().port, '127.0.0.1');
      socket.end(message);
      assert.equal(await text(socket), message);
    }
    server.close();
  });

  test('an HTTP server answers http.get and fetch', async () => {
    const server = http.createServer((request, response) => response.end(long)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    const [response] = await once(http.get(url, { agent: false }), 'response');
    assert.equal(await text(response), long);
    const fetched = await fetch(url, { headers: { connection: 'close' } });
    assert.equal(await fetched.text(), long);
    server.closeAllConnections();
    server.close();
  });

  test('datagrams arrive', async () => {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    for (const size of [5, 1000]) {
      socket.send(Buffer.alloc(size, 7), socket.address().port, '127.0.0.1');
      const [message] = await once(socket, 'message');
      assert.deepEqual(message, Buffer.alloc(size, 7));
    }
    socket.close();
  });

  test('standard input and the output of other processes are read', async () => {
    const index = JSON.stringify(require.resolve('../../index.js'));
    const child = spawn(process.execPath, ['-e', `require(${index}); process.stdin.pipe(process.stdout);`]);
    child.stdin.end(long);
    assert.equal(await text(child.stdout), long);
    const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'process.version']);
    assert.equal(stdout.trim(), process.version);
  });

  test('files and streams are read', async () => {
    assert.equal((await fs.promises.readFile(__filename)).toString(), fs.readFileSync(__filename, 'utf8'));
    assert.equal((await buffer(fs.createReadStream(__filename))).length, fs.statSync(__filename).size);
    assert.equal(await text(Readable.from([long, long])), long + long);
  });

  test('crypto makes keys, ciphers, digests and signatures', async () => {
    const key = crypto.randomBytes(32);
    for (const [name, vector] of [
      ['aes-256-cbc', 16],
      ['aes-256-gcm', 12],
    ]) {
      const iv = crypto.randomBytes(vector);
      const cipher = crypto.createCipheriv(name, key, iv);
      const secret = Buffer.concat([cipher.update(long), cipher.final()]);
      const decipher = crypto.createDecipheriv(name, key, iv);
      if (name.endsWith('gcm')) decipher.setAuthTag(cipher.getAuthTag());
      assert.equal(Buffer.concat([decipher.update(secret), decipher.final()]).toString(), long);
    }
    const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    assert.ok(
      crypto.verify('sha256', Buffer.from(long), publicKey, crypto.sign('sha256', Buffer.from(long), privateKey)),
    );
    assert.equal(crypto.hkdfSync('sha256', 'key', 'salt', 'info', 100).byteLength, 100);
    assert.equal(crypto.scryptSync('password', 'salt', 64).length, 64);
    const digest = await crypto.webcrypto.subtle.digest('SHA-256', Buffer.from(long));
    assert.deepEqual(Buffer.from(digest), crypto.createHash('sha256').update(long).digest());
  });

  test('zlib and v8.serialize give back what they took', async () => {
    for (const size of [10, 100_000]) {
      const bytes = crypto.randomBytes(size);
      assert.deepEqual(zlib.gunzipSync(await promisify(zlib.gzip)(bytes)), bytes);
      assert.deepEqual(zlib.brotliDecompressSync(zlib.brotliCompressSync(bytes)), bytes);
      assert.deepEqual(v8.deserialize(v8.serialize({ bytes, long })), { bytes, long });
    }
  });

  test('texts in every encoding become Buffers', () => {
    for (let length = 1; length < 2000; length += 37) {
      const bytes = crypto.randomBytes(length);
      for (const encoding of ['base64', 'hex', 'latin1'])
        assert.deepEqual(Buffer.from(bytes.toString(encoding), encoding), bytes);
      // A length that is guessed too long at first.
      assert.deepEqual(Buffer.from(`${bytes.toString('base64')}\n\n`, 'base64'), bytes);
      assert.equal(Buffer.from('€'.repeat(length), 'utf16le').toString('utf16le'), '€'.repeat(length));
    }
  });

  test('buffers are transferred, resized and cloned with their bytes', () => {
    for (const size of [8, 100, 5000, 1_000_000]) {
      const view = new Uint8Array(size).fill(9);
      const moved = structuredClone(view, { transfer: [view.buffer] });
      assert.ok(moved.length === size && moved.every((byte) => byte === 9) && view.length === 0);
      if (ArrayBuffer.prototype.transfer === undefined) continue;
      const longer = new Uint8Array(moved.buffer.transfer(size * 2));
      assert.ok(
        longer.subarray(0, size).every((byte) => byte === 9) && longer.subarray(size).every((byte) => byte === 0),
      );
      const shorter = new Uint8Array(longer.buffer.transfer(size / 2));
      assert.ok(shorter.length === size / 2 && shorter.every((byte) => byte === 9));
      assert.equal(shorter.buffer.transfer(0).byteLength, 0);
    }
    const resizable = new ArrayBuffer(8, { maxByteLength: 100_000 });
    for (const size of [50_000, 4, 100_000]) {
      resizable.resize(size);
      assert.equal(resizable.byteLength, size);
    }
    const memory = new WebAssembly.Memory({ initial: 1 });
    memory.grow(3);
    assert.equal(memory.buffer.byteLength, 4 * 65536);
  });

  test('a transferred buffer has its fence', { skip: onlyOn('transfer') }, () => {
    const { flip_at: flip } = bind({ flip_at: { args: ['ptr', 'i64', 'u64'] } });
    for (const size of [8, 96, 5000]) {
      const view = new Uint8Array(new ArrayBuffer(40).transfer(size));
      if (ffi.fences().installed) throws(() => flip(view, size, 20), 'ERR_FFI_BUFFER_OVERFLOW');
    }
  });

  test('workers come, exchange buffers with their parent, and go', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(
        `
        const { parentPort } = require('node:worker_threads');
        const ffi = require(${JSON.stringify(require.resolve('../../index.js'))});
        const { symbols } = ffi.dlopen(null, { abs: { args: ['int'], returns: 'int' } });
        parentPort.once('message', (view) => {
          view[0] = symbols.abs(-5);
          parentPort.postMessage(view, [view.buffer]);
        });`,
        { eval: true },
      );
      const view = new Uint8Array(1000).fill(1);
      worker.postMessage(view, [view.buffer]);
      const [answer] = await once(worker, 'message');
      assert.equal(answer[0], 5);
      assert.ok(answer.subarray(1).every((byte) => byte === 1));
      await worker.terminate();
    }
  });

  test('an overflow is thrown, and a late one is reported', { skip: onlyOn('fences') }, async () => {
    const { flip_at: flip } = bind({ flip_at: { args: ['ptr', 'i64', 'u64'] } });
    for (const view of [new Uint8Array(8), Buffer.alloc(96), new Float64Array(100)]) {
      throws(() => flip(view, view.byteLength, 20), 'ERR_FFI_BUFFER_OVERFLOW');
      throws(() => flip(view, -20, 20), 'ERR_FFI_BUFFER_UNDERFLOW');
    }
    await gc();
    assert.equal(ffi.checkFences(), 0);
  });

  test("the package works with Node's compile cache, when it is filled, when it is used and when it is damaged", async (t) => {
    const folder = makeFolder('compile-cache');
    const program = `
      const { JSCallback, dlopen, ptr, alloc, read } = require(${JSON.stringify(require.resolve('../../index.js'))});
      const { symbols } = dlopen('c', 'size_t strlen(const char *text); struct div { int quot, rem; } div(int, int);');
      const twice = new JSCallback((value) => 2 * value, 'int (*)(int)');
      const { twice: call } = require(${JSON.stringify(require.resolve('../../index.js'))}).linkSymbols({
        twice: { ptr: twice.ptr, args: ['i32'], returns: 'i32' },
      }).symbols;
      const bytes = alloc(8);
      bytes[3] = 7;
      console.log(symbols.strlen('four'), symbols.div(17, 5).rem, call(21), read.u8(ptr(bytes), 3));
      console.log(/dlopen: path must be/.test((() => { try { dlopen(1, {}) } catch (error) { return error.message } })()));`;
    const output = () => runs(program, { env: { NODE_COMPILE_CACHE: folder }, isBare: true });
    const expected = '4n 2 42 7\ntrue';
    for (let i = 0; i < 3; i += 1) assert.equal(await output(), expected);
    const files = fs.readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
    const cached = files.filter((file) => fs.statSync(file).isFile());
    t.diagnostic(`${cached.length} files in the cache`);
    for (const file of cached) fs.truncateSync(file, fs.statSync(file).size >> 1);
    assert.equal(await output(), expected);
  });

  test('optimised calls and callbacks give the right results', () => {
    const { add_i32: add, call_i32: call } = bind({
      add_i32: { args: ['i32', 'i32'], returns: 'i32' },
      call_i32: { args: ['function', 'i32'], returns: 'i32' },
    });
    for (let i = 0; i < 200_000; i++) if (add(i, 1) !== i + 1) assert.fail(`add(${i}, 1)`);
    const callback = new ffi.JSCallback((value) => value * 2, { args: ['i32'], returns: 'i32' });
    for (let i = 0; i < 1000; i++) assert.equal(call(callback, i), i * 2);
    callback.close();
  });
});
