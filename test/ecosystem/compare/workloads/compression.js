'use strict';
// Compression by packages: in JavaScript, in workers of theirs, and in native code.

const { promisify } = require('node:util');

exports.pako = async ({ emit, random, byScale }) => {
  const pako = require('pako');
  for (let i = 0; i < byScale(10, 40); i += 1) {
    const data = random.bytes(random.integer(0, 200_000));
    const packed = pako.deflate(data, { level: i % 10 });
    const zipped = pako.gzip(data);
    emit(packed, pako.inflate(packed), zipped, pako.ungzip(zipped));
    const text = random.text(5000);
    emit(pako.inflate(pako.deflateRaw(text), { raw: true, toText: true, to: 'string' }));
  }
  const deflater = new pako.Deflate({ level: 6 });
  for (let i = 0; i < byScale(30, 120); i += 1) deflater.push(random.bytes(random.integer(1, 9000)), false);
  deflater.push(new Uint8Array(0), true);
  emit(deflater.result);
};

exports.fflate = async ({ emit, random, byScale }) => {
  const fflate = require('fflate');
  for (let i = 0; i < byScale(5, 20); i += 1) {
    // A transfer takes the whole ArrayBuffer along, so that it must not be Node's pool.
    const data = Uint8Array.from(random.bytes(random.integer(0, 200_000)));
    const packed = fflate.deflateSync(data, { level: i % 10 });
    emit(packed, fflate.inflateSync(packed), fflate.gzipSync(data, { mtime: 0 }));
    // These run in workers, which get the input and give the output as transfers.
    const far = await promisify(fflate.deflate)(data, { level: 6, consume: i % 2 === 0 });
    emit(far);
    emit(await promisify(fflate.inflate)(far, { consume: true }), data.length);
  }
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`folder/${i}.bin`, random.bytes(random.integer(0, 400_000))]),
  );
  const zip = await promisify(fflate.zip)(files, { mtime: new Date(2000, 0, 1) });
  emit(zip);
  const unzipped = await promisify(fflate.unzip)(zip);
  for (const [name, data] of Object.entries(unzipped).sort()) emit(name, data);
};

exports.snappy = async ({ emit, random, byScale }) => {
  const snappy = require('snappy');
  for (let i = 0; i < byScale(20, 80); i += 1) {
    const inputs = Array.from({ length: 6 }, () => random.bytes(random.integer(0, 100_000)));
    const packed = await Promise.all(inputs.map((data) => snappy.compress(data)));
    emit(...packed, ...(await Promise.all(packed.map((data) => snappy.uncompress(data, { asBuffer: true })))));
    emit(snappy.uncompressSync(snappy.compressSync(inputs[0]), { asBuffer: true }));
  }
};
