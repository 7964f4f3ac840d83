'use strict';
// A short run of the fuzzer and of the soak; `npm run fuzz` and `npm run soak` are the long ones.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('../helpers.js');
const { byScale } = require('../scale.js');

const INPUTS = byScale(1000, 20_000);
const SOAK_SECONDS = byScale(1, 20);

test(`${INPUTS} random inputs over the public interface work or are refused by an error of the table`, async (t) => {
  // The same inputs each time; npm run fuzz takes others.
  const seed = 20261122;
  t.diagnostic(`seed ${seed}`);
  const result = await run({
    file: 'test/fuzz/run.js',
    args: ['--count', String(INPUTS), '--seed', String(seed)],
    timeout: 300_000,
  });
  assert.equal(result.code, 0, `seed ${seed}\n${result.stdout}\n${result.stderr}`);
  const { inputs, returned, refused } = JSON.parse(result.stdout.trim().split('\n').at(-1));
  assert.ok(inputs > 0.99 * INPUTS && returned > INPUTS / 10 && refused > INPUTS / 4, result.stdout);
});

test('an input that fails is shrunk and can be run again', async () => {
  // A string as a deallocator is refused; that such an input can be given at all is what is tested.
  const input = {
    row: 'read',
    specs: [
      { k: 'text', value: 'i32' },
      { k: 'atom', name: '8', place: 'address' },
      { k: 'atom', name: '0', place: 'offset' },
    ],
  };
  const { code, stdout } = await run({ file: 'test/fuzz/run.js', args: ['--input', JSON.stringify(input)] });
  assert.deepEqual([code, stdout.trim()], [0, 'the input passes']);
  const unknown = await run({
    file: 'test/fuzz/run.js',
    args: ['--input', JSON.stringify({ ...input, row: 'nonesuch' })],
  });
  assert.equal(unknown.code, 1);
  assert.match(unknown.stdout, /the process ended by exit code 1/);
});

test(`four workers that come and go for ${SOAK_SECONDS} seconds leave descriptors, threads and memory as they were`, async () => {
  const result = await run({
    file: 'test/stress/soak.mjs',
    flags: ['--expose-gc'],
    args: ['--minutes', String(SOAK_SECONDS / 60)],
    timeout: 120_000,
  });
  assert.deepEqual([result.code, result.signal], [0, null], `${result.stdout}\n${result.stderr}`);
});
