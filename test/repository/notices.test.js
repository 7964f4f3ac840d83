'use strict';
// The licence notices of what the addon contains, and the fields of package.json that publishing needs.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { PLACEHOLDER, problemsOf, readManifest } = require('../../scripts/manifest.js');
const { FILE, differences } = require('../../scripts/notices.js');
const { root } = require('../helpers.js');

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

describe('the notices', () => {
  test('the notices have every crate that is linked into the addon of this platform, with its licence, and no crate that is not used', () => {
    assert.deepEqual(differences(), [], `run node scripts/notices.js to write ${FILE} again`);
  });

  test('the notices have the licence of libffi, and no crate whose licence asks for more than a notice', () => {
    const text = read(FILE);
    assert.match(text, /libffi - Copyright \(c\)/);
    assert.doesNotMatch(text, /^\|.*(GPL|MPL)/m);
  });
});

describe('package.json', () => {
  const manifest = readManifest();

  test('package.json has what npm needs to publish the package', () => {
    assert.deepEqual(problemsOf(manifest), []);
  });

  test('package.json cannot be released with the placeholder of the owner, or for another repository', () => {
    const url = 'https://github.com/someone/pinned-ffi';
    const owned = {
      ...manifest,
      author: 'Someone',
      repository: { type: 'git', url: `git+${url}.git` },
      bugs: { url: `${url}/issues` },
      homepage: `${url}#readme`,
    };
    assert.deepEqual(problemsOf(owned, { release: true, repository: 'someone/pinned-ffi' }), []);
    assert.match(
      problemsOf(owned, { release: true, repository: 'another/pinned-ffi' }).join(),
      /must be that of another/,
    );
    assert.match(problemsOf({ ...owned, author: PLACEHOLDER }, { release: true }).join(), /must be replaced/);
    assert.match(read('.github/workflows/release.yml'), /node scripts\/manifest\.js --release\n[^]*npm publish/);
    if (JSON.stringify(manifest).includes(PLACEHOLDER)) {
      assert.match(read('CONTRIBUTING.md'), new RegExp(`^git grep .*${PLACEHOLDER}`, 'm'));
    }
  });

  test('package.json is refused without one of the fields', () => {
    for (const field of ['author', 'repository', 'bugs', 'homepage', 'publishConfig', 'files']) {
      assert.notDeepEqual(problemsOf({ ...manifest, [field]: undefined }), [], field);
    }
    assert.notDeepEqual(problemsOf({ ...manifest, private: true }), []);
  });

  test('package.json has the version of Cargo.toml and of the newest part of the changelog', () => {
    assert.match(read('Cargo.toml'), new RegExp(`^version = "${manifest.version}"$`, 'm'));
    const [newest] = read('CHANGELOG.md').match(/^## \[\d[^\]]*\]/m);
    assert.equal(newest, `## [${manifest.version}]`);
  });
});
