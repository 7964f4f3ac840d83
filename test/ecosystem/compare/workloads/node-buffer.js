'use strict';
// Buffers, typed arrays, resizable and shared ArrayBuffers, Blobs, and text in every encoding of Node.

const { Blob, transcode } = require('node:buffer');

const ENCODINGS = ['utf8', 'utf16le', 'latin1', 'ascii', 'base64', 'base64url', 'hex'];

exports['node:buffer'] = async ({ emit, random, byScale }) => {
  const kept = [];
  for (let i = 0; i < byScale(500, 2000); i += 1) {
    const text = random.text(random.integer(0, 400));
    for (const encoding of ENCODINGS) emit(Buffer.from(text, encoding), Buffer.from(text).toString(encoding));
    const buffer = Buffer.allocUnsafe(random.integer(8, 5000)).fill(text || 'x');
    emit(buffer, buffer.indexOf('a'), buffer.swap16 && buffer.length % 2 === 0 ? Buffer.from(buffer).swap16() : '');
    emit(
      Buffer.concat([buffer, Buffer.from(text)]),
      Buffer.compare(buffer, kept[i % 50] ?? buffer),
      transcode(buffer, 'latin1', 'utf8'),
    );
    // Slices of the pool, which others get between.
    kept[i % 50] = Buffer.from(random.bytes(random.integer(0, 200)));
    emit(kept[random.integer(0, kept.length - 1)]);
    // New memory is zero, whatever was there before.
    emit(
      Buffer.alloc(random.integer(0, 3000)),
      new Float64Array(random.integer(0, 300)),
      new ArrayBuffer(random.integer(0, 3000)),
    );
    const resizable = new ArrayBuffer(100, { maxByteLength: 70_000 });
    new Uint8Array(resizable).fill(i);
    resizable.resize(random.integer(0, 70_000));
    emit(resizable);
    const growable = new SharedArrayBuffer(10, { maxByteLength: 20_000 });
    growable.grow(random.integer(10, 20_000));
    emit(new Uint8Array(growable));
    if (ArrayBuffer.prototype.transfer) {
      const moved = Uint8Array.from(buffer).buffer.transfer(random.integer(0, 8000));
      emit(moved);
      emit(moved.transferToFixedLength(), moved.byteLength, moved.detached);
    }
    if (i % 20 === 0) emit(await new Blob([buffer, text, new Uint16Array([i])]).slice(3, 2000).arrayBuffer());
    emit(
      new TextDecoder().decode(new TextEncoder().encode(text)),
      new TextEncoder().encodeInto(text, buffer).written,
      buffer,
    );
  }
};
