'use strict';
// The documentation site: `npm run docs` builds it, and a browser shows its pages on a desk and on a phone.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Browser } = require('./browser.js');
const { root } = require('../helpers.js');
const { needs } = require('../requirements.js');

const dist = path.join(root, 'docs', 'site', 'dist');
const WIDTHS = { desk: 1280, phone: 390 };
const PAGES = ['', 'tutorial', 'cookbook', 'api', 'errors', 'typescript', 'reference/', 'reference/functions/dlopen'];
const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Serves the site as hosts do: an address without an extension is that of a page. */
function serve(request, response) {
  const name = decodeURIComponent(new URL(request.url, 'http://site').pathname);
  const file = [`${name}index.html`, `${name}.html`, name]
    .map((each) => path.join(dist, each))
    .find((each) => fs.statSync(each, { throwIfNoEntry: false })?.isFile());
  if (file === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': KINDS[path.extname(file)] ?? 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
}

describe('the documentation site', { skip: needs('site', 'chromium') }, () => {
  let server;
  let browser;
  const urlOf = (page) => `http://127.0.0.1:${server.address().port}/${page}`;

  before(async () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/docs.js'], {
      cwd: root,
      encoding: 'utf8',
    });
    // A dead link fails the build.
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    server = http.createServer(serve).listen(0, '127.0.0.1');
    browser = await Browser.start();
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  for (const [name, width] of Object.entries(WIDTHS)) {
    for (const page of PAGES) {
      test(`the documentation site shows /${page} on a ${name}: a title, text, no errors, nothing wider than the window`, async () => {
        browser.errors.length = 0;
        await browser.open(urlOf(page), width);
        const shown = await browser.evaluate(`(() => {
          const title = document.querySelector('main h1');
          const { width, height } = title?.getBoundingClientRect() ?? { width: 0, height: 0 };
          return {
            isTitled: title?.innerText.trim().length > 2 && width > 50 && height > 10,
            characters: document.querySelector('main').innerText.length,
            isStyled: getComputedStyle(document.querySelector('.VPNav')).position !== 'static',
            overflow: document.documentElement.scrollWidth - innerWidth,
          };
        })()`);
        const { characters, overflow, ...rest } = shown;
        assert.deepEqual(rest, { isTitled: true, isStyled: true });
        assert.ok(characters > 300, `${characters} characters`);
        assert.ok(overflow <= 0, `${overflow} pixels wider than the window`);
        assert.deepEqual(browser.errors, []);
        // A page of one colour compresses to a few hundred bytes.
        assert.ok((await browser.screenshot()).length > 10_000, 'the page is empty');
      });
    }
  }

  test('the documentation site finds a word by its search', async () => {
    await browser.open(urlOf(''), WIDTHS.desk);
    const found = await browser.evaluate(`(async () => {
      const until = async (find) => {
        for (let i = 0; i < 200; i += 1) {
          const found = find();
          if (found) return found;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error('not found: ' + find);
      };
      (await until(() => document.querySelector('#local-search button'))).click();
      const input = await until(() => document.querySelector('#localsearch-input'));
      input.value = 'minBytes';
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await until(() => document.querySelector('#localsearch-list li a'));
      return [...document.querySelectorAll('#localsearch-list li a')].map((link) => link.getAttribute('href'));
    })()`);
    assert.ok(found.length > 0);
    assert.ok(
      found.some((link) => /memory|types|errors|cookbook|reference/.test(link)),
      found.join(),
    );
  });
});
