'use strict';
// Puts the files of lib/ that every program loads into one script, and those that many load into a second file. A
// published package has both; lib/instance.js reads them. The files are there as well, and their modules have their names,
// so that files which are loaded later find them (lib/lazy.js).
//   node scripts/startup.js [--remove] [folder of a package]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const STARTUP = 'pinned-ffi.startup';
const LATER = 'pinned-ffi.later';
const NAMES = [STARTUP, LATER];

/**
 * Programs. Each prints the files that it has loaded, by their names in lib/: the first one with what every program has, the
 * second one with what most have.
 */
const HEAD = `
  const path = require('node:path');
  const { pathToFileURL } = require('node:url');
  const [, folder] = process.argv;
  const lib = path.join(folder, 'lib') + path.sep;
  function print() {
    const files = Object.keys(require.cache).filter((file) => file.startsWith(lib));
    console.log(JSON.stringify(files.map((file) => file.slice(lib.length).split(path.sep).join('/'))));
  }`;
const EVERY = `${HEAD}
  require(folder).dlopen(null, { abs: { args: ['i32'], returns: 'i32' } }).symbols.abs(-7);
  print();
`;
const MOST = `${HEAD}
  async function run({ JSCallback, alloc, dlopen, errno, ptr, read, struct }) {
    const { symbols } = dlopen(null, 'int abs(int); long labs(long);');
    const { atoi, div } = dlopen(null, {
      atoi: { args: ['cstring'], returns: 'int' },
      div: { args: ['int', 'int'], returns: struct({ quot: 'int', rem: 'int' }), errno: true },
    }).symbols;
    new JSCallback(() => 1, { returns: 'int' }).close();
    await symbols.abs.async(atoi('-1') + div(4, 3).quot + errno() + read.u8(ptr(alloc(8))));
    print();
  }
  import(pathToFileURL(path.join(folder, 'index.mjs'))).then(run);
`;

/** The files of lib/ that a program loads: the first one is that of the entries. */
function filesOf(program, folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the package does not load: ${stderr}`);
  const others = JSON.parse(stdout).filter((file) => file !== 'instance.js' && file !== 'entries.js');
  return ['entries.js', ...others];
}

const REQUIRE = /\brequire\('(\.{1,2}\/[^']+)'\)/g;

/** The number of the file that a file requires by a name; negative where it is not in the list. */
const numberOf = (file, name, files) => files.indexOf(path.posix.join(path.posix.dirname(file), name));

/** The files that a file requires and that are in the list, by the names it has for them. */
function importsOf(file, source, files) {
  const imports = {};
  for (const [, name] of source.matchAll(REQUIRE)) {
    const number = numberOf(file, name, files);
    if (number >= 0) imports[name] = number;
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

/** The function of a file. Its parentheses have V8 compile it with the script. */
function functionOf(file, source, files) {
  const numbered = source.replace(REQUIRE, (text, name) => {
    const number = numberOf(file, name, files);
    return number < 0 ? text : `require(${number})`;
  });
  return `(function (exports, require, module, __filename, __dirname) {${numbered}\n})`;
}

/** The contents of both files, by their names. */
function contentsOf(folder) {
  const every = filesOf(EVERY, folder);
  const files = [...every, ...filesOf(MOST, folder).filter((file) => !every.includes(file))];
  const sources = files.map((file) => prepared(fs.readFileSync(path.join(folder, 'lib', file), 'utf8')));
  // Then a character is a byte, and a part of a file is a string as it is.
  const other = files.find((_, i) => /[^\0-\x7f]/.test(sources[i]));
  if (other !== undefined) throw new Error(`lib/${other} has characters that are not ASCII`);
  const functions = every.map((file, i) => functionOf(file, sources[i], files));
  const later = sources.slice(every.length);
  const head = later.map((source, i) => [source.length, importsOf(files[every.length + i], source, files)]);
  return {
    [STARTUP]: `exports.names = '${files.join()}'.split(',');\nexports.functions = [${functions.join(',\n')}];\n`,
    [LATER]: `${JSON.stringify(head)}\n${later.join('')}`,
  };
}

const fileIn = (folder, name) => path.join(folder, 'lib', name);

function remove(folder = root) {
  for (const name of NAMES) fs.rmSync(fileIn(folder, name), { force: true });
}

function write(folder = root) {
  remove(folder);
  const contents = contentsOf(folder);
  // The first one is written last: where it is, the other one is as well.
  for (const name of NAMES.toReversed()) {
    // Others may load the package meanwhile.
    const temporary = `${fileIn(folder, name)}.${process.pid}.tmp`;
    fs.writeFileSync(temporary, contents[name]);
    fs.renameSync(temporary, fileIn(folder, name));
  }
}

/** Writes the files for as long as this process runs. */
function writeUntilExit() {
  write();
  process.on('exit', () => remove());
}

module.exports = { NAMES, remove, write, writeUntilExit };

if (require.main === module) {
  const args = process.argv.slice(2);
  const [folder] = args.filter((arg) => arg !== '--remove').map((arg) => path.resolve(arg));
  if (args.includes('--remove')) remove(folder);
  else write(folder);
}
