'use strict';
// Every ```js block of docs/ runs, on its own.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { root, runs } = require('./helpers.js');

const docs = path.join(root, 'docs');
const entry = pathToFileURL(path.join(root, 'index.mjs')).href;

for (const file of fs.readdirSync(docs).filter((name) => name === 'types.md')) {
  describe(`docs/${file}`, () => {
    const blocks = [...fs.readFileSync(path.join(docs, file), 'utf8').matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code);
    assert.ok(blocks.length > 0);
    blocks.forEach((code, i) => {
      test(`block ${i + 1} runs`, async () => {
        const module = code.replace(/from 'pinned-ffi'/, `from ${JSON.stringify(entry)}`);
        await runs(`import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(module)})).catch((error) => {
          console.error(error); process.exit(1); });`);
      });
    });
  });
}
