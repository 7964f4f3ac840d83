'use strict';
// THIRD_PARTY_NOTICES.md: the licences of the code that is linked into the addon, from cargo's metadata.
//   node scripts/notices.js            writes the file; cargo downloads the crates that it does not have yet
//   node scripts/notices.js --check    compares the file with the crates of this platform; works offline

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const FILE = 'THIRD_PARTY_NOTICES.md';

/** The licence under which a crate is used, where it offers a choice: the first of these that it names. */
const PREFERRED = ['MIT', 'ISC', 'Apache-2.0', 'Unicode-3.0'];

const LICENCE_FILES = {
  MIT: /^licen[cs]e(-mit)?(\.(md|txt))?$/i,
  ISC: /^licen[cs]e(\.(md|txt))?$/i,
  'Apache-2.0': /^licen[cs]e-apache(-2\.0)?(\.(md|txt))?$/i,
};

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
DEALINGS IN THE SOFTWARE.`;

/** The targets of deny.toml: the platforms that the package is released for. */
function targets() {
  const [, list] = /^targets = \[([^\]]*)\]/m.exec(fs.readFileSync(path.join(root, 'deny.toml'), 'utf8'));
  return [...list.matchAll(/"([^"]+)"/g)].map(([, target]) => target);
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}

const cargo = process.env.CARGO || 'cargo';

/** The target that cargo builds for by default on this machine. */
const hostTarget = () => /^host: (\S+)$/m.exec(run(cargo, ['-vV']))[1];

/**
 * The crates that are linked into the addon for a target: those that the root needs at run time. Procedural macros and
 * build scripts run while the addon is compiled, so they and their dependencies are left out.
 * @param {string} target
 * @param {{ offline?: boolean }} [options]
 */
function linkedCrates(target, { offline = false } = {}) {
  const args = ['metadata', '--locked', '--format-version', '1', '--filter-platform', target];
  const { packages, resolve } = JSON.parse(run(cargo, offline ? [...args, '--offline'] : args));
  const packageOf = new Map(packages.map((each) => [each.id, each]));
  const nodeOf = new Map(resolve.nodes.map((each) => [each.id, each]));
  const linked = new Set();
  const visit = (id) => {
    const isMacro = packageOf.get(id).targets.some(({ kind }) => kind.includes('proc-macro'));
    if (isMacro || linked.has(id)) return;
    linked.add(id);
    for (const { pkg, dep_kinds: kinds } of nodeOf.get(id).deps)
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
  };
  visit(resolve.root);
  linked.delete(resolve.root);
  return [...linked].map((id) => crateOf(packageOf.get(id)));
}

function crateOf({ name, version, license, repository, authors, manifest_path: manifest }) {
  const offered = license.split(/\s*(?:\/|\bOR\b)\s*/);
  const chosen = PREFERRED.find((each) => offered.includes(each));
  if (chosen === undefined)
    throw new Error(`${name} ${version} is under ${license}, which scripts/notices.js does not know`);
  return { name, version, license, chosen, repository, texts: textsOf(name, path.dirname(manifest), chosen, authors) };
}

/** The licence texts of a crate: of its files or, where it ships none, the text that its manifest names. */
function textsOf(name, folder, licence, authors) {
  const files = fs.readdirSync(folder).filter((file) => LICENCE_FILES[licence]?.test(file));
  const texts = files.slice(0, 1).map((file) => readText(path.join(folder, file)));
  if (texts.length === 0 && licence === 'MIT') {
    texts.push(
      `Authors: ${authors.map((each) => each.replace(/ <.*>$/, '')).join(', ')}. The crate ships no licence text.\n\n${MIT}`,
    );
  }
  if (texts.length === 0) throw new Error(`${name} has no text of the ${licence} licence`);
  if (name === 'libffi-sys') texts.push(readText(path.join(folder, 'libffi', 'LICENSE')));
  return texts;
}

const readText = (file) =>
  fs
    .readFileSync(file, 'utf8')
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '  ')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/^\n+|\n+$/g, '');

const rowOf = ({ name, version, license, chosen, repository }) =>
  `| ${name} | ${version} | ${license === chosen ? chosen : `${license}; used under ${chosen}`} | ${repository} |`;

/** @param {ReturnType<typeof linkedCrates>} crates */
function render(crates) {
  const namesByText = new Map();
  for (const { name, texts } of crates) {
    for (const text of texts) namesByText.set(text, [...(namesByText.get(text) ?? []), name]);
  }
  return (
    [
      '# Third-party notices',
      'The native addon of pinned-ffi (the `.node` files in `prebuilds/`) contains the code below. Not every crate is in the\n' +
        'addon of every platform.',
      'This file is generated: `node scripts/notices.js` writes it.',
      ['| crate | version | licence | source |', '| --- | --- | --- | --- |', ...crates.map(rowOf)].join('\n'),
      'libffi-sys contains the C library libffi, whose licence is among the texts below.',
      'The addon also contains the standard library of Rust (https://github.com/rust-lang/rust), which is used under the MIT\n' +
        'licence. Copyrights in it are retained by its contributors; `COPYRIGHT-library.html` of each Rust release lists them and\n' +
        'the code that the library contains.',
      '## Texts',
      ...[...namesByText].flatMap(([text, names]) => [`### ${names.join(', ')}`, `\`\`\`text\n${text}\n\`\`\``]),
      '### Standard library of Rust',
      `\`\`\`text\nCopyright (c) The Rust Project Contributors\n\n${MIT}\n\`\`\``,
    ].join('\n\n') + '\n'
  );
}

/**
 * The crates of this machine's platform that THIRD_PARTY_NOTICES.md lacks, and those that it has in excess, a line
 * each.
 */
function differences() {
  const text = fs.readFileSync(path.join(root, FILE), 'utf8');
  const found = [];
  for (const crate of linkedCrates(hostTarget(), { offline: true })) {
    if (!text.includes(`${rowOf(crate)}\n`)) found.push(`lacks ${crate.name} ${crate.version} (${crate.license})`);
    for (const each of crate.texts) if (!text.includes(each)) found.push(`lacks the licence text of ${crate.name}`);
  }
  const lock = fs.readFileSync(path.join(root, 'Cargo.lock'), 'utf8');
  for (const [, name, version] of text.matchAll(/^\| ([\w-]+) \| (\d\S*) \|/gm)) {
    if (!lock.includes(`name = "${name}"\nversion = "${version}"\n`))
      found.push(`has ${name} ${version}, which is not in Cargo.lock`);
  }
  return found;
}

module.exports = { FILE, differences };

if (require.main === module) {
  if (process.argv[2] === '--check') {
    const found = differences();
    if (found.length > 0) {
      console.error(`${FILE} is out of date; run node scripts/notices.js:\n  ${found.join('\n  ')}`);
      process.exitCode = 1;
    }
  } else {
    const crates = new Map(
      targets()
        .flatMap((target) => linkedCrates(target))
        .map((each) => [each.name, each]),
    );
    const sorted = [...crates.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    fs.writeFileSync(path.join(root, FILE), render(sorted));
    console.log(`wrote ${FILE}: ${sorted.length} crates`);
  }
}
