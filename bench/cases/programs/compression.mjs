// zlib and zstd, there and back, into buffers that are used again.

import { Buffer } from 'node:buffer';
import { load } from '../../addon.mjs';

const SIZES = { '1 KiB': 1024, '1 MiB': 1 << 20 };
const PARAMS = ['zlib', 'zstd'].flatMap((name) => Object.keys(SIZES).map((size) => `${name} of ${size}`));

/** JSON of small records, of so many bytes. */
function dataOf(size) {
  const parts = [];
  for (let i = 0, length = 0; length < size; i++) {
    parts.push(`{"id":${(i * 7919) % 65536},"name":"row ${i % 100}","flag":${i % 3 === 0}},`);
    length += parts.at(-1).length;
  }
  return Buffer.from(parts.join('').slice(0, size));
}

const parse = (param) => {
  const [name, size] = param.split(' of ');
  return { name, data: dataOf(SIZES[size]) };
};

/** By the functions of the two libraries. */
function byFunctions(open, name, data) {
  const [packed, unpacked] = [Buffer.alloc(data.length + 4096), Buffer.alloc(data.length)];
  if (name === 'zstd') {
    const { ZSTD_compress, ZSTD_decompress } = open('libzstd.so.1', {
      ZSTD_compress: { args: ['buffer', 'u64_fast', 'buffer', 'u64_fast', 'i32'], returns: 'u64_fast' },
      ZSTD_decompress: { args: ['buffer', 'u64_fast', 'buffer', 'u64_fast'], returns: 'u64_fast' },
    });
    return () => {
      const size = ZSTD_compress(packed, packed.length, data, data.length, 3);
      ZSTD_decompress(unpacked, unpacked.length, packed, size);
      return unpacked;
    };
  }
  const { compress2, uncompress } = open('libz.so.1', {
    compress2: { args: ['buffer', 'buffer', 'buffer', 'u64_fast', 'i32'], returns: 'i32' },
    uncompress: { args: ['buffer', 'buffer', 'buffer', 'u64_fast'], returns: 'i32' },
  });
  const length = new Float64Array(12);
  const size = new Uint32Array(length.buffer);
  return () => {
    size[0] = packed.length;
    compress2(packed, length, data, data.length, 6);
    const written = size[0];
    size[0] = unpacked.length;
    uncompress(unpacked, length, packed, written);
    return unpacked;
  };
}

const byPeer = (peer, _, param) => {
  const { name, data } = parse(param);
  return [byFunctions(peer.open, name, data)];
};

async function builtin(_, __, param) {
  const { name, data } = parse(param);
  const { deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync, constants } = await import('node:zlib');
  if (name === 'zlib') return [() => inflateSync(deflateSync(data, { level: 6 }))];
  const params = { [constants.ZSTD_c_compressionLevel]: 3 };
  return [() => zstdDecompressSync(zstdCompressSync(data, { params }))];
}

function addon(_, library, param) {
  const { name, data } = parse(param);
  const functions = load(library);
  functions.open();
  const [pack, unpack] = [functions[name], functions[`un${name}`]];
  const [packed, unpacked] = [Buffer.alloc(data.length + 4096), Buffer.alloc(data.length)];
  return [
    () => {
      unpack(packed, unpacked, pack(data, packed));
      return unpacked;
    },
  ];
}

export default {
  title: '{}, there and back',
  note:
    'Compression is at level 6 of zlib and 3 of zstd. The packages write into Buffers that are used again, ' +
    'node:zlib makes new ones and has libraries of its own.',
  params: PARAMS,
  library: 'programs',
  needs: ['addon'],
  peers: { pinned: byPeer, koffi: byPeer, bun: byPeer, builtin, addon },
  loop: (round) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const bytes = round();
      sum = (sum + bytes[i % bytes.length] + bytes.length) & 0xffffff;
    }
    return sum;
  },
  model: (param) => [() => parse(param).data],
};
