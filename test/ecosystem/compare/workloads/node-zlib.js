'use strict';
// node:zlib: at once, on the thread pool, and as streams whose chunks are reused.

const { Readable } = require('node:stream');
const { promisify } = require('node:util');
const zlib = require('node:zlib');

exports['node:zlib'] = async ({ emit, random, byScale }) => {
  const pairs = [
    [zlib.deflateSync, zlib.inflateSync],
    [zlib.gzipSync, zlib.gunzipSync],
    [zlib.deflateRawSync, zlib.inflateRawSync],
    [
      (data) => zlib.brotliCompressSync(data, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
      zlib.brotliDecompressSync,
    ],
    ...(zlib.zstdCompressSync ? [[zlib.zstdCompressSync, zlib.zstdDecompressSync]] : []),
  ];
  for (let i = 0; i < byScale(5, 20); i += 1) {
    const data = random.bytes(random.integer(0, 100_000));
    for (const [pack, unpack] of pairs) {
      const packed = pack(data);
      emit(packed, unpack(packed));
    }
    const dictionary = random.bytes(1000);
    const small = zlib.deflateSync(data.subarray(0, 500), { dictionary });
    emit(small, zlib.inflateSync(small, { dictionary }));
    const inputs = Array.from({ length: 8 }, () => random.bytes(random.integer(0, 50_000)));
    const packed = await Promise.all(inputs.map((each) => promisify(zlib.gzip)(each)));
    emit(...packed, ...(await Promise.all(packed.map((each) => promisify(zlib.gunzip)(each)))));
  }
  const chunks = Array.from({ length: byScale(50, 200) }, () => random.bytes(random.integer(1, 20_000)));
  const piped = Readable.from(chunks)
    .pipe(zlib.createDeflate({ chunkSize: 1000 }))
    .pipe(zlib.createInflate({ chunkSize: 777 }));
  const all = [];
  for await (const chunk of piped) all.push(chunk);
  emit(Buffer.concat(all));
};
