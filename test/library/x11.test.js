'use strict';
// The example x11-events: a Buffer that is too small for XNextEvent, under a real X server.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, run } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

describe('examples/x11-events.mjs', { skip: onlyOn('linux') }, () => {
  const COUNT = byScale(10_000, 100_000);

  test(
    `examples/x11-events.mjs contains XNextEvent's overflow by name, then receives ${COUNT} events intact`,
    { skip: needs('X11', 'Xvfb') },
    async () => {
      const result = await run({ file: 'examples/x11-events.mjs', args: [String(COUNT)], timeout: 300_000 });
      const { code, signal, stdout, stderr } = result;
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, `${stderr}\n${stdout}`);
      assert.equal(stderr, '');
      if (ffi.fences().installed) {
        assert.match(
          stdout,
          /a Buffer of 96 bytes: ERR_FFI_BUFFER_OVERFLOW\n {2}XNextEvent: native code wrote 96 bytes/,
        );
      }
      assert.match(stdout, new RegExp(`${COUNT} events sent and received intact`));
    },
  );

  test('examples/x11-events.mjs says what to install where there is no X server', { skip: needs('X11') }, async () => {
    const { code, stderr } = await run({ file: 'examples/x11-events.mjs', env: { DISPLAY: '', PATH: '' } });
    assert.equal(code, 1);
    assert.match(stderr, /Xvfb did not start; install it: apt install xvfb libx11-6/);
  });
});
