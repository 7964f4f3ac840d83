'use strict';
// The addon exports malloc and its family, fork and others for the processes of isolated libraries. In Node nothing may
// be bound to them.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { root } = require('../helpers.js');
const { platformKey } = require('../../lib/native/platform.js');
const { onlyOn } = require('../requirements.js');

const addon = `${platformKey()}.node`;
const FUNCTIONS = [
  'malloc',
  'free',
  'calloc',
  'realloc',
  'reallocarray',
  'memalign',
  'aligned_alloc',
  'posix_memalign',
  'valloc',
  'pvalloc',
  'malloc_usable_size',
  'fork',
  '_Fork',
  'daemon',
  'forkpty',
  'pthread_create',
  'pthread_getattr_np',
];

/** What the dynamic loader has bound while a program ran: `[file, file that defines the symbol, symbol]`. */
function bindingsOf(script) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bindings-'));
  try {
    const env = { ...process.env, LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: path.join(folder, 'log'), LD_BIND_NOW: '1' };
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const text = fs.readdirSync(folder).map((file) => fs.readFileSync(path.join(folder, file), 'latin1'));
    const lines = text.join('\n').matchAll(/binding file (\S+) \[\d+\] to (\S+) \[\d+\]: normal symbol `([^']+)'/g);
    return [...lines].map(([, from, to, symbol]) => [path.basename(from), path.basename(to), symbol]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test(
  'in Node, no call of malloc, fork or their families reaches the definitions of the addon',
  { skip: onlyOn('glibc') },
  () => {
    const bindings = bindingsOf("require('./index.js')");
    const ours = bindings.filter(([, , symbol]) => FUNCTIONS.includes(symbol));
    assert.ok(
      ours.some(([from]) => from === addon),
      'the addon itself calls malloc',
    );
    assert.deepEqual(
      ours.filter(([, to]) => to === addon),
      [],
    );
  },
);
