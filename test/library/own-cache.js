'use strict';
// Compiles C for a test file: each test has a separate cache, so that nothing comes from another test's.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, beforeEach } = require('node:test');
const { ffi } = require('../helpers.js');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-cc-'));
after(() => fs.rmSync(folder, { recursive: true }));

let count = 0;
let cache;
beforeEach(() => {
  cache = path.join(folder, `cache-${count++}`);
  process.env.PINNED_FFI_CACHE = cache;
});

/** The cache of the test that runs. */
const cacheOfTest = () => cache;

/** The libraries in it. */
const compiled = () => fs.readdirSync(path.join(cache, 'cc')).filter((file) => file.endsWith(`.${ffi.suffix}`));

/** Writes a file of the folder, which goes when the tests have ended. */
function write(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

/** Compiles, calls the function f without arguments, and closes. */
function value(options) {
  const library = ffi.cc({ symbols: { f: { returns: 'i32' } }, ...options });
  try {
    return library.symbols.f();
  } finally {
    library.close();
  }
}

module.exports = { folder, cacheOfTest, compiled, write, value };
