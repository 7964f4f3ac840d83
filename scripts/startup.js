'use strict';
// Puts the files of lib/ that most programs load into one, which lib/instance.js reads in a published package. A file
// is compiled when it is required, as without. The files are there as well, and their modules have their names, so that
// files which are loaded later find them (lib/lazy.js).
//   node scripts/startup.js [--remove] [folder of a package]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const NAME = 'pinned-ffi.startup';

/** A program with what most programs have. It prints the files that it has loaded, by their names in lib/. */
const PROBE = `
  const path = require('node:path');
  const { pathToFileURL } = require('node:url');
  const [, folder] = process.argv;
  async function run({ JSCallback, alloc, dlopen, errno, ptr, read, struct }) {
    const { symbols } = dlopen(null, 'int abs(int); long labs(long);');
    const { atoi, div } = dlopen(null, {
      atoi: { args: ['cstring'], returns: 'int' },
      div: { args: ['int', 'int'], returns: struct({ quot: 'int', rem: 'int' }), errno: true },
    }).symbols;
    new JSCallback(() => 1, { returns: 'int' }).close();
    await symbols.abs.async(atoi('-1') + div(4, 3).quot + errno() + read.u8(ptr(alloc(8))));
    const lib = path.join(folder, 'lib') + path.sep;
    const files = Object.keys(require.cache).filter((file) => file.startsWith(lib));
    console.log(JSON.stringify(files.map((file) => file.slice(lib.length).split(path.sep).join('/'))));
  }
  import(pathToFileURL(path.join(folder, 'index.mjs'))).then(run);
`;

/** The files of lib/ that such a program needs: the first one is that of the entries. */
function filesOf(folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', PROBE, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the package does not load: ${stderr}`);
  const others = JSON.parse(stdout).filter((file) => file !== 'instance.js' && file !== 'entries.js');
  return ['entries.js', ...others];
}

/** The files that a file requires and that are in the list, by the names it has for them. */
function importsOf(file, source, files) {
  const imports = {};
  for (const [, name] of source.matchAll(/\brequire\('(\.{1,2}\/[^']+)'\)/g)) {
    const target = path.posix.join(path.posix.dirname(file), name);
    if (files.includes(target)) imports[name] = files.indexOf(target);
  }
  return imports;
}

/** The nodes of a syntax tree of a type. */
function* nodesOf(node, type) {
  if (node === null || typeof node !== 'object') return;
  if (node.type === type) yield node;
  for (const key of Object.keys(node)) if (key !== 'loc') yield* nodesOf(node[key], type);
}

/**
 * A source as V8 reads it fastest. Lines keep their numbers.
 * - Comments are left out: they are a quarter of the text.
 * - Functions that are written as expressions, `const f = function () {}`, get parentheses: they are those that the first
 *   dlopen runs. V8 compiles such a function with its file, and reads it once; others it reads once more at their first call.
 */
function prepared(source) {
  const { comments, program } = require('@babel/parser').parse(source, { sourceType: 'script' });
  const edits = (comments ?? []).map(({ start, end }) => [start, end, source.slice(start, end).replace(/[^\n]+/g, '')]);
  for (const { init } of nodesOf(program, 'VariableDeclarator')) {
    if (init?.type === 'FunctionExpression') edits.push([init.start, init.start, '('], [init.end, init.end, ')']);
  }
  let text = '';
  let at = 0;
  for (const [start, end, replacement] of edits.sort((a, b) => a[0] - b[0])) {
    text += source.slice(at, start) + replacement;
    at = end;
  }
  return text + source.slice(at);
}

/** The file that lib/instance.js reads. */
function contentOf(folder) {
  const files = filesOf(folder);
  const sources = files.map((file) => prepared(fs.readFileSync(path.join(folder, 'lib', file), 'utf8')));
  // Then a character is a byte, and a part of the file is a string as it is.
  const other = files.find((_, i) => /[^\0-\x7f]/.test(sources[i]));
  if (other !== undefined) throw new Error(`lib/${other} has characters that are not ASCII`);
  const head = files.map((file, i) => [file, sources[i].length, importsOf(file, sources[i], files)]);
  return `${JSON.stringify(head)}\n${sources.join('')}`;
}

const fileIn = (folder) => path.join(folder, 'lib', NAME);
const remove = (folder = root) => fs.rmSync(fileIn(folder), { force: true });

function write(folder = root) {
  remove(folder);
  const content = contentOf(folder);
  // Others may load the package meanwhile.
  const temporary = `${fileIn(folder)}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, fileIn(folder));
}

/** Writes the file for as long as this process runs. */
function writeUntilExit() {
  write();
  process.on('exit', () => remove());
}

module.exports = { NAME, remove, write, writeUntilExit };

if (require.main === module) {
  const args = process.argv.slice(2);
  const [folder] = args.filter((arg) => arg !== '--remove').map((arg) => path.resolve(arg));
  if (args.includes('--remove')) remove(folder);
  else write(folder);
}
