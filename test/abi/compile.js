'use strict';
// Compiles the C of signatures into libraries, two at a time, kept by their content beside the fixture.

const { execFileSync, spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { findCompiler } = require('../../scripts/build.js');
const { ffi } = require('../helpers.js');
const { PRELUDE } = require('./hash.js');
const { C_FLAGS } = require('./jobs.js');
const { sourceOf, STATE } = require('./signature.js');

const directory = path.join(__dirname, '..', 'fixtures', 'build', 'abi');
const FLAGS = [...C_FLAGS, '-shared', ...(process.platform === 'win32' ? [] : ['-fPIC'])];
const AT_ONCE = 2;
/** Libraries that no run has asked for since are removed. */
const KEPT_DAYS = 2;

let compiler;

function findC() {
  if (compiler === undefined) {
    const command = findCompiler();
    if (command === undefined) throw new Error('The ABI tests need a C compiler (cc, gcc or clang, or set CC).');
    compiler = { command, version: execFileSync(command[0], [...command.slice(1), '--version'], { encoding: 'utf8' }) };
  }
  return compiler;
}

function run([command, ...args], input) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let messages = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (messages += text));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`The C of the ABI tests does not compile:\n${messages}`)),
    );
    child.stdin.on('error', () => {}).end(input);
  });
}

/** The C of some signatures, a list of [id, signature]. */
const textOf = (signatures) =>
  [PRELUDE, STATE, ...signatures.map(([id, signature]) => sourceOf(signature, id))].join('\n');

/** The library of some signatures, a list of [id, signature]: compiled, unless it is there. */
async function compile(signatures) {
  const source = textOf(signatures);
  const { command, version } = findC();
  const key = createHash('sha256')
    .update(JSON.stringify([version, FLAGS, source]))
    .digest('hex')
    .slice(0, 32);
  const library = path.join(directory, `${key}.${ffi.suffix}`);
  if (fs.existsSync(library)) {
    fs.utimesSync(library, new Date(), new Date());
    return library;
  }
  const temporary = `${library}.${process.pid}.tmp`;
  await run([...command, ...FLAGS, '-x', 'c', '-', '-o', temporary], source);
  fs.renameSync(temporary, library);
  return library;
}

/** The libraries of lists of signatures, in their order. */
async function compileAll(lists) {
  fs.mkdirSync(directory, { recursive: true });
  const libraries = new Array(lists.length);
  const next = lists.entries();
  const work = async () => {
    for (const [i, list] of next) libraries[i] = await compile(list);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return libraries;
}

/** Removes what has not been used for some days. */
function clean() {
  if (!fs.existsSync(directory)) return;
  for (const name of fs.readdirSync(directory)) {
    const file = path.join(directory, name);
    const { mtimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (mtimeMs < Date.now() - KEPT_DAYS * 86_400_000) fs.rmSync(file, { force: true });
  }
}

module.exports = { compileAll, clean, textOf };
