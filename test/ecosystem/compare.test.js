'use strict';
// A correct program stays correct when it loads the package: the short form of npm run compare.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { compareWorkload } = require('../../scripts/compare.js');
const { WORKLOADS } = require('./compare/workloads.js');
const { root } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { byScale } = require('../scale.js');

const seed = process.env.PINNED_FFI_TEST_SEED || '1';
const compare = (name, options = {}) => compareWorkload(process.execPath, name, { seed, scale: 'quick', ...options });

const churns = byScale(
  ['churn: 100 to 400 bytes'],
  Object.keys(WORKLOADS).filter((name) => WORKLOADS[name].isChurn),
);
const others = Object.keys(WORKLOADS).filter((name) => !WORKLOADS[name].isChurn);

describe('with the package loaded', { concurrency: 2 }, () => {
  const wanted = byScale(['node:zlib', 'workers'], others);

  for (const name of wanted) {
    test(
      `${name} computes the same bytes as without it`,
      { skip: WORKLOADS[name].isFromNpm && needs('workloads') },
      async () => {
        const { differences, digest } = await compare(name);
        assert.deepEqual(differences, [], `seed ${seed}`);
        assert.match(digest, /^[0-9a-f]{64}$/);
      },
    );
  }

  for (const name of churns) {
    test(`${name} gives its memory back as without it`, async (t) => {
      const { differences, memory } = await compare(name);
      assert.deepEqual(differences, [], memory);
      t.diagnostic(memory);
    });
  }
});

describe('the comparison reports', { concurrency: 2 }, () => {
  const cases = [
    {
      what: 'a byte that is not the same',
      name: 'node:dgram',
      expected: [/^digest: /],
      source: `
        const { prototype } = require('node:dgram').Socket;
        const { emit } = prototype;
        prototype.emit = function (event, ...args) {
          if (event === 'message' && args[0].length > 7900) args[0][7900] = 7;
          return emit.call(this, event, ...args);
        };`,
    },
    ...byScale(
      [],
      [
        {
          what: 'another exit status',
          name: 'WebAssembly',
          expected: [/^status: 0 .* 7 with/],
          source: "process.on('exit', () => (process.exitCode = 7));",
        },
        {
          what: 'a warning',
          name: 'WebAssembly',
          expected: [/^stderr: "" .*Warning: late/],
          source: "process.emitWarning('late');",
        },
        {
          what: 'memory that does not come back',
          name: 'churn: 4 MiB',
          expected: [/^rss: /, /^external: /, /^arrayBuffers: /],
          source: 'globalThis.kept = Buffer.alloc(120e6, 1);',
        },
      ],
    ),
    {
      what: 'a package that was not loaded',
      name: 'WebAssembly',
      expected: [/^the package was not loaded$/],
      isAlone: true,
      source: '',
    },
  ];
  for (const { what, name, expected, source, isAlone = false } of cases) {
    test(`the comparison reports ${what}`, async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-compare-'));
      try {
        const preload = path.join(folder, 'preload.js');
        fs.writeFileSync(
          preload,
          `${isAlone ? '' : `require(${JSON.stringify(path.join(root, 'index.js'))});`}\n${source}`,
        );
        const { differences } = await compare(name, { preload });
        assert.equal(differences.length, expected.length, differences.join('\n'));
        expected.forEach((pattern, i) => assert.match(differences[i], pattern));
      } finally {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
