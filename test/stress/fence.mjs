// A process under the fence: workers that come and go, transfers both ways, zlib, crypto and http on loopback, calls.
//   node --expose-gc test/stress/fence.mjs [seconds = 300]      exits 1 on a fault or when resident memory grows

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { promisify } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import zlib from 'node:zlib';
import { bind, collect, ffi } from '../helpers.js';

// How much resident memory may grow after the first quarter of the run.
const MOST_GROWTH = 64e6;
const { fill_at: fill, flip_at: flip } = bind({
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  flip_at: { args: ['ptr', 'i64', 'u64'] },
});
Error.stackTraceLimit = 2;
const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip);
const randomFill = promisify(crypto.randomFill);
const isWhole = (bytes, value) => Buffer.alloc(bytes.length, value).equals(bytes);
const overflow = (view) =>
  assert.throws(() => flip(view, view.byteLength, 20), { code: 'ERR_FFI_BUFFER_OVERFLOW', bytesPast: 20 });

if (isMainThread) await main();
else
  parentPort.on('message', ({ buffer, value, last }) => {
    // Of what came one half goes back as it is, with new memory of this worker; the worker may end right after.
    const bytes = new Uint8Array(buffer);
    assert.ok(isWhole(bytes, value));
    fill(bytes, 0, value + 1, bytes.length);
    overflow(bytes);
    const own = new Uint8Array(1 + (bytes.length % 5000)).fill(value + 1);
    parentPort.postMessage({ buffers: [buffer, own.buffer], value: value + 1 }, [buffer, own.buffer]);
    if (last) parentPort.close();
  });

async function main() {
  const seconds = Number(process.argv[2] ?? 300);
  assert.ok(seconds > 0, 'the duration is a number of seconds');
  const counts = { requests: 0, transfers: 0, workers: 0, zips: 0, calls: 0, warnings: 0 };
  process.on('warning', (warning) => {
    if (warning.name === 'FFIWarning') counts.warnings++;
    console.error(String(warning));
  });
  const began = Date.now();
  const isOver = () => Date.now() - began > seconds * 1000;
  const kept = [];
  const keep = (buffer, value) => {
    kept.push({ buffer, value });
    if (kept.length <= 200) return;
    const { buffer: bytes, value: wanted } = kept.splice(Math.floor(Math.random() * 200), 1)[0];
    assert.ok(isWhole(new Uint8Array(bytes), wanted), 'a kept buffer has changed');
  };

  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = await gunzip(Buffer.concat(chunks));
    response.end(await gzip(Buffer.concat([crypto.createHash('sha256').update(body).digest(), body])));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const { port } = server.address();

  const post = (body) =>
    new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, method: 'POST', agent }, async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve(Buffer.concat(chunks));
      });
      request.on('error', reject);
      request.end(body);
    });

  async function serve() {
    while (!isOver()) {
      const body = await randomFill(Buffer.alloc(1 + Math.floor(Math.random() ** 3 * 200_000)));
      const answer = await gunzip(await post(await gzip(body)));
      assert.ok(answer.subarray(32).equals(body));
      assert.ok(answer.subarray(0, 32).equals(crypto.createHash('sha256').update(body).digest()));
      counts.requests++;
    }
  }

  async function squeeze() {
    while (!isOver()) {
      const bytes = Buffer.allocUnsafe(1 + Math.floor(Math.random() * 50_000)).fill(counts.zips);
      assert.ok(zlib.inflateRawSync(zlib.deflateRawSync(bytes)).equals(bytes));
      const key = crypto.randomBytes(32);
      const cipher = crypto.createCipheriv('aes-256-ctr', key, key.subarray(0, 16));
      const decipher = crypto.createDecipheriv('aes-256-ctr', key, key.subarray(0, 16));
      assert.ok(decipher.update(cipher.update(bytes)).equals(bytes));
      assert.ok(Buffer.from(structuredClone(bytes)).equals(bytes));
      counts.zips++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function employ() {
    while (!isOver()) {
      const worker = new Worker(new URL(import.meta.url));
      const rounds = 20;
      let sent = 0;
      const send = () => {
        const value = sent++ & 127;
        const { buffer } = new Uint8Array(1 + Math.floor(Math.random() ** 2 * 100_000)).fill(value);
        worker.postMessage({ buffer, value, last: sent === rounds }, [buffer]);
      };
      await new Promise((resolve, reject) => {
        worker
          .on('error', reject)
          .on('exit', resolve)
          .on('message', ({ buffers, value }) => {
            for (const buffer of buffers) keep(buffer, value);
            counts.transfers++;
            if (sent < rounds) send();
          });
        send();
      });
      counts.workers++;
    }
  }

  async function call() {
    for (let i = 0; !isOver(); i++) {
      for (const view of [new Uint8Array(40), Buffer.from('a slice'), Buffer.alloc(3000), ffi.alloc(100)]) {
        fill(view, 0, i & 255, view.byteLength);
        assert.ok(isWhole(view, i & 255));
        // While libuv works for others, what lies around a slice of the pool may be theirs.
        if (i % 10 === 0 && view.byteLength === view.buffer.byteLength) overflow(view);
        counts.calls++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  let settled = 0;
  let shown = 0;
  const timer = setInterval(() => {
    const passed = (Date.now() - began) / 1000;
    collect();
    const { rss } = process.memoryUsage();
    // The highest of the second quarter: memory goes up and down.
    if (passed > seconds / 4) settled = settled === 0 || passed < seconds / 2 ? Math.max(settled, rss) : settled;
    if (passed - shown > 5)
      console.log(JSON.stringify({ passed: Math.round((shown = passed)), rssMB: Math.round(rss / 1e6), ...counts }));
  }, 500);
  await Promise.all([serve(), serve(), squeeze(), employ(), employ(), call()]);
  clearInterval(timer);
  agent.destroy();
  server.close();
  for (const { buffer, value } of kept) assert.ok(isWhole(new Uint8Array(buffer), value));
  kept.length = 0;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const grown = process.memoryUsage().rss - settled;
  const broken = ffi.checkFences();
  const result = { seconds, ...counts, broken, settledMB: settled / 1e6, grownMB: grown / 1e6, ...ffi.fences() };
  console.log(JSON.stringify(result));
  process.exit(grown < MOST_GROWTH && broken === 0 && counts.warnings === 0 && counts.workers > 0 ? 0 : 1);
}
