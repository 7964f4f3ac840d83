'use strict';
// Every program of examples/ runs to its end and says what it did. They check themselves.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { describe, test } = require('node:test');
const { root, run } = require('../helpers.js');
const { needs } = require('../requirements.js');

const folder = path.join(root, 'examples');
const files = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.mjs'))
  .sort();

// The expected output of each, and its requirements; x11-events is run by test/library/x11.test.js.
const EXAMPLES = {
  'async.mjs': { says: [/in the pool: \d+ ms/, /on a thread: \d+ ms/] },
  'curl.mjs': { says: [/libcurl.*you asked for/], wants: ['curl'] },
  'demo.mjs': { says: [/qsort/, /strftime/, /sqlite|crc32/i] },
  'isolate.mjs': { says: [/aborts: ERR_FFI_LIBRARY_DIED, SIGABRT/, /never returns: ERR_FFI_TIMEOUT/, /stay whole/] },
  'openssl-digest.mjs': { says: [/^[0-9a-f]{64} /, /OpenSSL/], wants: ['crypto'] },
  'own-c.mjs': { says: [/distance 5/] },
  'own-rust.mjs': { says: [/HELLO FROM RUST/] },
  'sdl2-png.mjs': { says: [/256 x 128/], wants: ['SDL2'] },
  'sqlite.mjs': { says: [/Mars ♂/, /365\.256/], wants: ['sqlite3'] },
  'zlib.mjs': { says: [/170000 bytes became \d+/], wants: ['z'] },
};

test('every example is run', () => {
  assert.deepEqual([...Object.keys(EXAMPLES), 'x11-events.mjs'].sort(), files);
});

test('every example begins with what it does, what it needs and how to run it', () => {
  for (const name of files) {
    const head = /^(\/\/.*\n)+/.exec(fs.readFileSync(path.join(folder, name), 'utf8'))?.[0] ?? '';
    assert.match(head, /\b(apt install|rustc from|without a library)\b/, `${name}: how to install what it needs`);
    assert.match(head, new RegExp(`node examples/${name}`), `${name}: how to run it`);
  }
});

for (const [name, { says, wants = [] }] of Object.entries(EXAMPLES)) {
  test(`examples/${name} runs to its end and says what it did`, { skip: needs(...wants) }, async () => {
    const png = path.join(os.tmpdir(), `pinned-ffi-${process.pid}.png`);
    const result = await run({ file: `examples/${name}`, args: name === 'sdl2-png.mjs' ? [png] : [] });
    assert.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.stderr);
    assert.equal(result.stderr, '');
    for (const pattern of says) assert.match(result.stdout, pattern);
    if (name === 'sdl2-png.mjs') {
      assert.equal(fs.readFileSync(png).readUInt32BE(16), 256, 'the width in the header of the PNG');
      fs.rmSync(png);
    }
  });
}

describe('examples/demo.mjs', () => {
  test('examples/demo.mjs runs the same from another working directory', async () => {
    const demo = pathToFileURL(path.join(folder, 'demo.mjs')).href;
    const { code, signal, stderr } = await run({ code: `process.chdir('/'); import(${JSON.stringify(demo)});` });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  });
});
