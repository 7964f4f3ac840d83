'use strict';
// Files: streams, positions, vectors of Buffers, and the functions that give whole files.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pipeline } = require('node:stream/promises');

exports['node:fs'] = async ({ emit, random, byScale }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-compare-'));
  const [first, second] = ['first', 'second'].map((name) => path.join(folder, name));
  try {
    for (let i = 0; i < byScale(10, 40); i += 1) {
      const chunks = Array.from({ length: 20 }, () => random.bytes(random.integer(0, 20_000)));
      await pipeline(chunks, fs.createWriteStream(first, { highWaterMark: 5000 }));
      await pipeline(
        fs.createReadStream(first, { highWaterMark: random.integer(100, 70_000) }),
        fs.createWriteStream(second),
      );
      emit(await fs.promises.readFile(second), fs.readFileSync(second, 'latin1'));
      const file = await fs.promises.open(second, 'r+');
      const { bytesWritten } = await file.writev(chunks.slice(0, 5), 17);
      const views = [Buffer.alloc(100), new Uint8Array(3000), Buffer.allocUnsafe(50).fill(0)];
      const { bytesRead } = await file.readv(views, 11);
      emit(bytesWritten, bytesRead, ...views);
      const whole = Buffer.alloc(1000);
      await file.read(whole, 300, 400, 5);
      emit(whole, fs.readSync(file.fd, whole, 0, 1000, 0), whole);
      await file.close();
      fs.appendFileSync(second, random.text(100));
      emit(await fs.promises.readFile(second));
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
};
