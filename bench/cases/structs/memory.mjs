// Values in memory: a struct of two f64, 1,000 of them, in a Buffer or at an address. `DataView by hand` is what a
// program without any package would write.

import { Buffer } from 'node:buffer';

const COUNT = 1000;
const points = () => Array.from({ length: COUNT }, (_, i) => ({ x: i, y: 0.5 }));
const inOrder = () => {
  const bytes = Buffer.alloc(COUNT * 16);
  points().forEach(({ x, y }, i) => {
    bytes.writeDoubleLE(x, i * 16);
    bytes.writeDoubleLE(y, i * 16 + 8);
  });
  return bytes;
};
const sumOf = (values) => {
  let sum = 0;
  for (const { x, y } of values) sum += x - y;
  return sum;
};

/** What is measured: by a way, a function of an index that gives a number. */
function pinned({ ffi }, library, way) {
  const point = ffi.struct({ x: 'f64', y: 'f64' });
  const list = ffi.array(point, COUNT);
  const bytes = inOrder();
  const address = ffi.ptr(bytes);
  const live = list.view(bytes);
  const ways = {
    'a view at an address, and a field': () => point.view(address).x,
    'a view of a Buffer, and a field': () => point.view(bytes).x,
    'read at an address': () => point.read(address).y,
    'written at an address': (i) => point.write(address, { x: 0, y: 0.5 + (i & 1) }),
    'new memory with a value': (i) => point.alloc({ x: i & 7, y: 0.5 }).x,
    '1,000 read': () => sumOf(list.read(address)),
    '1,000 in a view, one by one': () => sumOf(live),
  };
  return [ways[way], bytes];
}

function koffi({ koffi: api }, library, way) {
  const point = api.struct({ x: 'double', y: 'double' });
  const list = api.array(point, COUNT);
  const bytes = inOrder();
  const ways = {
    'a view at an address, and a field': () => api.decode(bytes, point).x,
    'a view of a Buffer, and a field': () => api.decode(bytes, point).x,
    'read at an address': () => api.decode(bytes, point).y,
    'written at an address': (i) => api.encode(bytes, point, { x: 0, y: 0.5 + (i & 1) }),
    'new memory with a value': (i) => {
      const made = Buffer.alloc(96);
      api.encode(made, point, { x: i & 7, y: 0.5 });
      return made.readDoubleLE(0);
    },
    '1,000 read': () => sumOf(api.decode(bytes, list)),
    '1,000 in a view, one by one': () => sumOf(api.decode(bytes, list)),
  };
  return [ways[way], bytes];
}

function byHand(way) {
  const bytes = inOrder();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const all = () => {
    let sum = 0;
    for (let at = 0; at < COUNT * 16; at += 16) sum += view.getFloat64(at, true) - view.getFloat64(at + 8, true);
    return sum;
  };
  const ways = {
    'a view at an address, and a field': () => view.getFloat64(0, true),
    'a view of a Buffer, and a field': () => new DataView(bytes.buffer, bytes.byteOffset, 16).getFloat64(0, true),
    'read at an address': () => view.getFloat64(8, true),
    'written at an address': (i) => view.setFloat64(8, 0.5 + (i & 1), true),
    'new memory with a value': (i) => {
      const made = Buffer.alloc(96);
      made.writeDoubleLE(i & 7, 0);
      return made.readDoubleLE(0);
    },
    '1,000 read': all,
    '1,000 in a view, one by one': all,
  };
  return [ways[way], bytes];
}

export default {
  title: 'a struct of two f64, {}',
  note: 'Koffi has no views: it decodes. Its new memory, and that of a program by hand, is a Buffer of 96 bytes.',
  params: [
    'a view at an address, and a field',
    'a view of a Buffer, and a field',
    'read at an address',
    'written at an address',
    'new memory with a value',
    '1,000 read',
    '1,000 in a view, one by one',
  ],
  peers: { pinned, koffi, byHand: (_peer, _library, way) => byHand(way) },
  loop: (run, bytes) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += run(i) ?? 0;
    return sum + bytes.readDoubleLE(0);
  },
  model: byHand,
};
