'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { run } = require('./helpers.js');

describe('examples/demo.mjs', () => {
  test('runs on real libraries to its end and says what it did', async () => {
    const { code, signal, stdout, stderr } = await run({ file: 'examples/demo.mjs' });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    assert.equal(stderr, '');
    for (const word of [/qsort/, /strftime/, /sqlite|crc32/i]) assert.match(stdout, word);
  });

  test('runs the same from another working directory', async () => {
    const demo = JSON.stringify(require('node:path').join(__dirname, '..', 'examples', 'demo.mjs'));
    const { code, signal, stderr } = await run({
      code: `process.chdir('/'); import(require('node:url').pathToFileURL(${demo}).href);`,
    });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  });
});
