'use strict';
// `npm run docs`: builds the documentation site into docs/site/dist: docs/ by VitePress, and the reference from the
// declarations by TypeDoc. Their packages are installed into docs/site when they are missing.
//   node scripts/docs.js            builds
//   node scripts/docs.js --serve    builds, and serves the result

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const docs = path.join(root, 'docs');
const site = path.join(docs, 'site');
/** The input of VitePress: the documents with links that hold on the site, and the reference. */
const pages = path.join(site, 'pages');

const { homepage } = require('../package.json');
const repository = homepage.replace(/#.*$/, '');

/** Runs a program of the packages in docs/site. */
function run(command, args, cwd = site) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
}
const tool = (name, args) => run(process.execPath, [path.join(site, 'node_modules', ...name), ...args]);

function install() {
  const installed = path.join(site, 'node_modules', '.package-lock.json');
  const lock = path.join(site, 'package-lock.json');
  if (fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(lock).mtimeMs) return;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  run(npm, ['ci', '--no-audit', '--no-fund', '--ignore-scripts=false']);
}

/** The page of a document: README.md is the first page, docs/x.md is x.md. Undefined for other files. */
function pageOf(file) {
  if (file === 'README.md') return 'index.md';
  return /^docs\/(?!site\/)(.*\.(?:md|svg))$/.exec(file)?.[1];
}

/** Where a link of a document leads on the site; to the repository, if its target is no page. */
function linkOf(link, file) {
  if (/^(\w+:|#)/.test(link)) return link;
  const [name, anchor] = link.split('#');
  const target = path.posix.join(path.posix.dirname(file), name);
  const page = pageOf(target);
  if (page === undefined) return `${repository}/blob/main/${target}`;
  const relative = path.posix.relative(path.posix.dirname(pageOf(file)), page);
  return `./${relative}${anchor === undefined ? '' : `#${anchor}`}`;
}

/** A document as a page. Code stays as it is; elsewhere `<` and `{{` are not markup. */
function convert(text, file) {
  const parts = text.split(/(^ *```[^]*?^ *```$)/m);
  return parts
    .map((part, i) => {
      if (i % 2 === 1) return part;
      return part.replace(/\]\(([^)\s]+)\)/g, (_, link) => `](${linkOf(link, file)})`);
    })
    .join('');
}

/** Writes the pages. */
function writePages() {
  fs.rmSync(pages, { recursive: true, force: true });
  const documents = ['docs', 'docs/internals'].flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((name) => pageOf(name) !== undefined),
  );
  for (const file of ['README.md', ...documents]) {
    const target = path.join(pages, pageOf(file));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    if (file.endsWith('.md')) fs.writeFileSync(target, convert(fs.readFileSync(path.join(root, file), 'utf8'), file));
    else fs.copyFileSync(path.join(root, file), target);
  }
}

function writeReference() {
  tool(['typedoc', 'bin', 'typedoc'], ['--options', path.join(site, 'typedoc.json')]);
}

function main() {
  install();
  writePages();
  writeReference();
  tool(['vitepress', 'bin', 'vitepress.js'], ['build', site]);
  if (process.argv.includes('--serve')) tool(['vitepress', 'bin', 'vitepress.js'], ['preview', site]);
}

main();
