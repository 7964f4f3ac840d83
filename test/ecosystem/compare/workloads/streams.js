'use strict';
// Parsers and writers that work on streams of chunks.

const { once } = require('node:events');
const { Readable } = require('node:stream');

/** A stream that gives bytes in chunks of random lengths. */
function inChunks(bytes, random, most = 5000) {
  const chunks = [];
  for (let at = 0; at < bytes.length;) {
    const step = random.integer(1, most);
    chunks.push(bytes.subarray(at, at + step));
    at += step;
  }
  return Readable.from(chunks);
}

exports.busboy = async ({ emit, random, byScale }) => {
  const busboy = require('busboy');
  for (let i = 0; i < byScale(30, 120); i += 1) {
    const boundary = `boundary${random.next()}`;
    const parts = Array.from({ length: random.integer(0, 10) }, (_, k) =>
      [
        `--${boundary}\r\ncontent-disposition: form-data; name="part${k}"${k % 2 === 0 ? `; filename="${k}.bin"` : ''}\r\n\r\n`,
        k % 2 === 0 ? random.bytes(random.integer(0, 30_000)) : random.text(random.integer(0, 500)),
        '\r\n',
      ].map((each) => Buffer.from(each)),
    );
    const body = Buffer.concat([...parts.flat(), Buffer.from(`--${boundary}--\r\n`)]);
    const files = [];
    const parser = busboy({ headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } });
    parser.on('field', (name, value) => files.push([name, value]));
    parser.on('file', (name, stream, { filename }) => {
      const chunks = [];
      files.push([name, filename, chunks]);
      stream.on('data', (chunk) => chunks.push(chunk));
    });
    inChunks(body, random).pipe(parser);
    await once(parser, 'close');
    for (const [name, value, chunks = []] of files) emit(name, value, Buffer.concat(chunks));
  }
};

exports['tar-stream'] = async ({ emit, random, byScale }) => {
  const tar = require('tar-stream');
  for (let i = 0; i < byScale(10, 40); i += 1) {
    const pack = tar.pack();
    const packed = [];
    const ended = (async () => {
      for await (const chunk of pack) packed.push(chunk);
    })();
    for (let k = 0; k < 20; k += 1) {
      const data = random.bytes(random.integer(0, 20_000));
      const entry = { name: `folder/${random.text(5, 'abcé')}/${k}`, mtime: new Date(1e12), uid: 0, gid: 0 };
      await new Promise((resolve, reject) => pack.entry(entry, data, (error) => (error ? reject(error) : resolve())));
    }
    pack.finalize();
    await ended;
    const bytes = Buffer.concat(packed);
    emit(bytes);
    const extract = tar.extract();
    inChunks(bytes, random).pipe(extract);
    for await (const entry of extract) {
      const chunks = [];
      for await (const chunk of entry) chunks.push(chunk);
      emit(entry.header.name, Buffer.concat(chunks));
    }
  }
};
