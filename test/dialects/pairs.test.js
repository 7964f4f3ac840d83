'use strict';
// examples/from-koffi: the same programs for koffi and for this package. Those for koffi run through pinned-ffi/koffi.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { root, run } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const examples = path.join(root, 'examples', 'from-koffi');

// What each program prints, and what it needs. The first ones are those of the quick scale.
const PROGRAMS = {
  sqlite: { says: /^42$/, wants: ['sqlite3'] },
  curl: { says: /^No error Grüße\nCould?n't connect to server$/, wants: ['curl'] },
  git: { says: /^[0-9a-f]{40} Bé second\n[0-9a-f]{40} Bé first\n.*'\/nowhere'/, wants: ['git2.h', 'git'] },
  expat: { says: /^start a\nstart b\nGrüße\nend b\nend a\n/, wants: ['expat'] },
  png: { says: /^[1-9]\d*\n0 No such file or directory$/, wants: ['png.h'] },
  sodium: { says: /^984ca516.*\n0 a secret\n-1$/, wants: ['sodium.h'] },
  cairo: { says: /^no error has occurred$/, wants: ['cairo.h'] },
  libpq: { says: /^1 .*port 1 failed: .*\n1 .*port 2 failed: /, wants: ['pq'] },
  libusb: { says: /^LIBUSB_SUCCESS.*(\n.*)*\nLIBUSB_ERROR_NO_DEVICE$/, wants: ['usb'] },
  lmdb: { says: /^Grüße\nMDB_NOTFOUND: /, wants: ['lmdb'] },
  webp: { says: /^2 1 true$/, wants: ['webp/decode.h'] },
  'zstd-lz4': { says: /^true true\n1 Destination buffer is too small\n14000 true$/, wants: ['zstd', 'lz4frame.h'] },
};
const QUICK = 4;

const names = Object.keys(PROGRAMS);
const selected = names.slice(0, byScale(QUICK, names.length));

/** The lines of code; one that is longer than a line of this repository counts as two. */
const linesOf = (file) =>
  fs
    .readFileSync(path.join(examples, file), 'utf8')
    .split('\n')
    .filter((line) => /\w/.test(line) && !line.startsWith('//'))
    .reduce((sum, { length }) => sum + Math.ceil(length / 120), 0);

test('every program for koffi has one for this package, which is not longer', () => {
  const files = fs.readdirSync(examples);
  assert.deepEqual(files.sort(), names.flatMap((name) => [`${name}.koffi.mjs`, `${name}.mjs`]).sort());
  for (const name of names) {
    const [ours, theirs] = [linesOf(`${name}.mjs`), linesOf(`${name}.koffi.mjs`)];
    assert.ok(ours <= theirs, `${name}: ${ours} lines instead of ${theirs}`);
  }
});

describe('programs for koffi, and the same for this package', { skip: onlyOn('linux') }, () => {
  const needed = (name) => needs(...PROGRAMS[name].wants);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-test-pairs-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  let results;

  before(async () => {
    const here = selected.filter((name) => needed(name) === false);
    const git = (...args) =>
      execFileSync('git', ['-c', 'user.name=Bé', '-c', 'user.email=b@example', ...args], { cwd: folder });
    if (here.includes('git')) {
      git('init', '--quiet');
      for (const message of ['first', 'second']) git('commit', '--quiet', '--allow-empty', '-m', message);
    }
    const { code, signal, stdout, stderr } = await run({
      file: 'test/dialects/pairs.mjs',
      args: [folder, ...here],
      flags: ['--import', pathToFileURL(path.join(root, 'koffi.mjs')).href],
    });
    assert.deepEqual([code, signal], [0, null], stderr);
    results = JSON.parse(stdout);
  });

  for (const name of selected) {
    test(
      `examples/from-koffi/${name}.mjs prints what ${name}.koffi.mjs prints through pinned-ffi/koffi`,
      { skip: needed(name) },
      () => {
        const { koffi, pinned } = results[name];
        assert.match(pinned.lines.join('\n'), PROGRAMS[name].says);
        assert.deepEqual(koffi, pinned);
      },
    );
  }
});
