'use strict';
// Serialization by the engine.

const v8 = require('node:v8');

/** Values of what the engine can serialize, with views that share an ArrayBuffer. */
function richValue(random) {
  const { buffer } = Uint8Array.from(random.bytes(random.integer(16, 4000)));
  return {
    value: random.value(),
    views: [new Uint8Array(buffer, 3), new Float64Array(buffer, 8, 1), new DataView(buffer, 1, 2)],
    map: new Map([[random.text(5), new Set([random.next()])]]),
    date: new Date(random.next()),
    big: BigInt(random.next()) ** 5n,
    regexp: /a+b/gu,
    error: new RangeError('message'),
  };
}

/** The stack of an error has paths and lines; it is the same in both processes, but long. */
const withoutStack = ({ error, ...rest }) => ({ ...rest, message: error.message });

exports['v8.serialize'] = async ({ emit, random, byScale }) => {
  for (let i = 0; i < byScale(300, 1200); i += 1) {
    const bytes = v8.serialize(withoutStack(richValue(random)));
    emit(bytes, v8.serialize(v8.deserialize(bytes)));
    const serializer = new v8.DefaultSerializer();
    serializer.writeHeader();
    serializer.writeRawBytes(random.bytes(random.integer(0, 3000)));
    serializer.writeUint64(random.next(), random.next());
    serializer.writeDouble(random.double());
    emit(serializer.releaseBuffer());
  }
};

exports.structuredClone = async ({ emit, random, byScale }) => {
  for (let i = 0; i < byScale(300, 1200); i += 1) {
    const clone = structuredClone(richValue(random));
    emit(v8.serialize(withoutStack(clone)), clone.views[0].buffer === clone.views[2].buffer);
    const bytes = Uint8Array.from(random.bytes(random.integer(0, 50_000)));
    const moved = structuredClone({ bytes }, { transfer: [bytes.buffer] });
    emit(moved.bytes, bytes.byteLength, bytes.buffer.byteLength);
    const shared = new SharedArrayBuffer(64);
    new Uint8Array(structuredClone(shared)).fill(i);
    emit(new Uint8Array(shared));
  }
};
