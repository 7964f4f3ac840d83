'use strict';
// Binary formats: the written bytes are emitted, read again, and written again.

const { once } = require('node:events');

/** Emits what a stream of Buffers gives, until it ends. */
async function emitAll(stream, emit) {
  for await (const chunk of stream) emit(chunk);
}

exports.msgpackr = async ({ emit, random, byScale }) => {
  const { Packr, PackrStream, isNativeAccelerationEnabled, pack, unpack } = require('msgpackr');
  console.log(`native: ${isNativeAccelerationEnabled}`);
  const records = new Packr({ structuredClone: true, useRecords: true, bundleStrings: true });
  const stream = new PackrStream();
  const streamed = emitAll(stream, emit);
  for (let i = 0; i < byScale(300, 1200); i += 1) {
    const value = random.value();
    const packed = pack(value);
    emit(packed, pack(unpack(packed)));
    const cloned = records.pack({ value, map: new Map([[i, value]]), floats: Float64Array.of(i, random.double()) });
    emit(cloned);
    const { map, floats } = records.unpack(cloned);
    emit(pack(map.get(i)), floats);
    if (value !== null && !stream.write(value)) await once(stream, 'drain');
  }
  stream.end();
  await streamed;
};

exports['cbor-x'] = async ({ emit, random, byScale }) => {
  const { Encoder, decode, encode, isNativeAccelerationEnabled } = require('cbor-x');
  console.log(`native: ${isNativeAccelerationEnabled}`);
  const shared = new Encoder({ structuredClone: true, pack: true });
  for (let i = 0; i < byScale(300, 1200); i += 1) {
    const value = random.value();
    const encoded = encode(value);
    emit(encoded, encode(decode(encoded)));
    const packed = shared.encode({ value, set: new Set([i, 'text']), bytes: new Uint16Array([i, 1, 2]) });
    emit(packed);
    const { set, bytes } = shared.decode(packed);
    emit([...set].join(), bytes);
  }
};

exports.bson = async ({ emit, random, byScale }) => {
  const { Binary, Decimal128, Long, ObjectId, calculateObjectSize, deserialize, serialize } = require('bson');
  for (let i = 0; i < byScale(300, 1200); i += 1) {
    const value = random.value();
    const document = {
      _id: ObjectId.createFromHexString(random.bytes(12).toString('hex')),
      value: [value],
      binary: new Binary(random.bytes(random.integer(0, 2000)), random.pick([0, 128])),
      long: Long.fromBits(random.next(), random.next()),
      decimal: Decimal128.fromString(`${random.integer(0, 1e9)}.${random.integer(0, 1e9)}`),
      date: new Date(random.integer(0, 2 ** 31) * 1000),
    };
    const bytes = serialize(document);
    const read = deserialize(bytes, { promoteValues: false, promoteBuffers: false });
    emit(bytes, serialize(read), calculateObjectSize(document), read._id.toHexString(), read.decimal.toString());
  }
};

exports.protobufjs = async ({ emit, random, byScale }) => {
  const { parse } = require('protobufjs');
  const { root } = parse(`
    syntax = "proto3";
    message Point { double x = 1; float y = 2; sint32 z = 3; }
    message Shape {
      string name = 1; bytes data = 2; repeated Point points = 3; map<string, uint32> counts = 4;
      fixed32 flags = 5; oneof which { string text = 6; Point centre = 7; } repeated int32 packed = 8;
    }`);
  const Shape = root.lookupType('Shape');
  const point = () => ({ x: random.double(), y: Math.fround(random.double()), z: random.next() | 0 });
  for (let i = 0; i < byScale(500, 2000); i += 1) {
    const message = Shape.create({
      name: random.text(random.integer(0, 40)),
      data: random.bytes(random.integer(0, 1000)),
      points: Array.from({ length: random.integer(0, 10) }, point),
      counts: { a: random.next(), ä: i },
      flags: random.next(),
      ...(i % 2 === 0 ? { text: random.text(10) } : { centre: point() }),
      packed: Array.from({ length: random.integer(0, 50) }, () => random.next() | 0),
    });
    const encoded = Shape.encode(message).finish();
    const decoded = Shape.decode(encoded);
    emit(encoded, Shape.encodeDelimited(decoded).finish(), JSON.stringify(decoded));
  }
};

exports.avsc = async ({ emit, random, byScale }) => {
  const avro = require('avsc');
  const type = avro.Type.forSchema({
    type: 'record',
    name: 'Row',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'name', type: ['null', 'string'] },
      { name: 'data', type: 'bytes' },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 16 } },
      { name: 'numbers', type: { type: 'array', items: 'double' } },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } },
    ],
  });
  const encoder = new avro.streams.BlockEncoder(type, { codec: 'deflate', syncMarker: random.bytes(16) });
  const encoded = [];
  encoder.on('data', (chunk) => encoded.push(chunk));
  for (let i = 0; i < byScale(500, 2000); i += 1) {
    const row = {
      id: random.next(),
      name: i % 3 === 0 ? null : random.text(random.integer(0, 40)),
      data: random.bytes(random.integer(0, 500)),
      hash: random.bytes(16),
      numbers: Array.from({ length: random.integer(0, 20) }, () => random.double()),
      kind: random.pick(['A', 'B', 'C']),
    };
    const bytes = type.toBuffer(row);
    emit(bytes, type.toBuffer(type.fromBuffer(bytes)));
    if (!encoder.write(row)) await once(encoder, 'drain');
  }
  encoder.end();
  await once(encoder, 'end');
  emit(...encoded);
  const decoder = new avro.streams.BlockDecoder();
  decoder.end(Buffer.concat(encoded));
  for await (const row of decoder) emit(type.toBuffer(row));
};

exports.flatbuffers = async ({ emit, random, byScale }) => {
  const { Builder, ByteBuffer } = require('flatbuffers');
  for (let i = 0; i < byScale(500, 2000); i += 1) {
    // It begins small, so that the builder grows and copies.
    const builder = new Builder(random.integer(1, 64));
    const name = builder.createString(random.text(random.integer(0, 200)));
    const bytes = random.bytes(random.integer(0, 2000));
    const data = builder.createByteVector(bytes);
    builder.startVector(8, 20, 8);
    for (let k = 0; k < 20; k += 1) builder.addFloat64(random.double());
    const doubles = builder.endVector();
    builder.startObject(4);
    builder.addFieldOffset(0, name, 0);
    builder.addFieldOffset(1, data, 0);
    builder.addFieldOffset(2, doubles, 0);
    builder.addFieldInt32(3, random.next() | 0, 0);
    builder.finish(builder.endObject());
    const written = builder.asUint8Array();
    emit(written);
    const buffer = new ByteBuffer(written);
    const table = buffer.readInt32(buffer.position()) + buffer.position();
    const field = (offset) => table + buffer.__offset(table, offset);
    const vector = buffer.__vector(field(6));
    emit(
      buffer.__string(field(4)),
      buffer.bytes().subarray(vector, vector + buffer.__vector_len(field(6))),
      buffer.readInt32(field(10)),
    );
  }
};
