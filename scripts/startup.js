'use strict';
// Puts the files of lib/ that most programs load into a few scripts, and those that many load into one more file. A
// published package has them; lib/instance.js reads them. The files are there as well, and their modules have their
// names, so that files which are loaded later find them (lib/lazy.js).
//   node scripts/startup.js [--remove] [folder of a package]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const SCRIPTS = ['startup', 'calls', 'libraries', 'pointers', 'cdef', 'isolation'].map((name) => `pinned-ffi.${name}`);
const LATER = 'pinned-ffi.later';
const NAMES = [...SCRIPTS, LATER];

/**
 * Programs. Each prints the files of lib/ that it has loaded, by their names there, with the functions that ran: the
 * first program only loads the package, the second makes a call, the third opens a library that is not in the process,
 * the fourth passes pointers and texts as well and declares functions by C text, the fifth one's text has plain
 * structs, the sixth one's needs the parser, the seventh isolates a library, the eighth has what most have. There is a
 * script for what each of the first four loads in addition, one for the parser, and one for isolation.
 */
const HEAD = `
  const { Session } = require('node:inspector');
  const path = require('node:path');
  const { fileURLToPath, pathToFileURL } = require('node:url');
  const [, folder] = process.argv;
  const lib = path.join(folder, 'lib') + path.sep;
  // Each module has this in the published package, which loads no more at the start (lib/lazy.js).
  Object.defineProperty(module.constructor.prototype, 'isOfScripts', { value: true });
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const isOwn = (file) => file.startsWith(lib);
  const nameOf = (file) => file.slice(lib.length).split(path.sep).join('/');
  function print() {
    const files = Object.keys(require.cache).filter(isOwn).map(nameOf);
    session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      const ran = {};
      for (const { url, functions } of result) {
        const file = url.startsWith('file:') ? fileURLToPath(url) : url;
        if (!isOwn(file)) continue;
        const ranges = functions.map(({ ranges: [whole] }) => whole).filter(({ count }) => count > 0);
        ran[nameOf(file)] = ranges.map(({ startOffset, endOffset }) => [startOffset, endOffset]);
      }
      console.log(JSON.stringify({ files, ran }));
    });
  }`;
const EVERY = `${HEAD}
  require(folder);
  print();
`;
const CALLS = `${HEAD}
  require(folder).dlopen(null, { abs: { args: ['i32'], returns: 'i32' } }).symbols.abs(-7);
  print();
`;
const LIBRARIES = `${HEAD}
  const { dlopen } = require(folder);
  dlopen(null, {});
  try {
    // A library of glibc that is not loaded yet.
    dlopen('libresolv.so.2', {});
  } catch {}
  // The error of a library that does not open, which few programs need.
  require(path.join(lib, 'library/not-opened.js'));
  print();
`;
const POINTERS = `${HEAD}
  const { strlen } = require(folder).dlopen(null, {
    strlen: { args: ['cstring'], returns: 'size_t' },
    memcpy: { args: ['buffer', 'ptr', 'size_t'], returns: 'ptr' },
  }).symbols;
  strlen('text');
  require(folder).dlopen(null, 'int abs(int a); size_t strlen(const char *s);');
  print();
`;
const RECORDS = `${HEAD}
  require(folder).dlopen(null, \`
    typedef struct { int quot, rem; } div_t;
    typedef struct file FILE;
    enum kind { FIRST, SECOND };
    struct entry { struct entry *next; const char *name; char data[16]; enum kind kind; };
    typedef int comparison_t;
    div_t div(int numer, int denom);
    comparison_t atoi(const char *text, ...);
    void qsort(void *base, size_t count, size_t size, int (*compare)(const div_t *, const struct entry *entry));
    int fclose(FILE *stream);
  \`);
  print();
`;
const TEXTS = `${HEAD}
  require(folder).dlopen(null, \`
    typedef struct { int quot, rem; } div_t;
    div_t div(int numer, int denom);
    int atoi(const char *text, ...);
    void qsort(void *base, size_t count, size_t size, int (*compare)(const div_t *, const div_t *));
    struct outer { struct { int a; } inner; };
  \`);
  print();
`;
const ISOLATED = `${HEAD}
  try {
    const library = require(folder).dlopen(null, { abs: { args: ['i32'], returns: 'i32' } }, { isolate: true });
    library.symbols.abs(-7);
    library.close();
  } catch (error) {
    // Systems without isolation load the same files.
    if (error.code !== 'ERR_FFI_ISOLATE_UNAVAILABLE') throw error;
  }
  print();
`;
const MOST = `${HEAD}
  async function run({ JSCallback, alloc, dlopen, errno, ptr, read, struct }) {
    const { symbols } = dlopen(null, 'int abs(int); long labs(long);');
    dlopen(null, 'typedef struct { int quot, rem; } div_t; int atoi(const char *text, ...);');
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

/** The files of lib/ that a program loads, that of the entries first, and the ranges of the functions that ran. */
function runProgram(program, folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the package does not load: ${stderr}`);
  const { files, ran } = JSON.parse(stdout);
  const others = files.filter((file) => file !== 'instance.js' && file !== 'entries.js');
  return { files: ['entries.js', ...others], ran };
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

/** The functions of a syntax tree. */
function* functionsIn(node) {
  if (node === null || typeof node !== 'object') return;
  if (/^(?:Arrow)?Function(?:Expression|Declaration)$/.test(node.type)) yield node;
  for (const key of Object.keys(node)) if (key !== 'loc') yield* functionsIn(node[key]);
}

/** A text with parts replaced: [start, end, replacement] for each; none of them lie across the bounds of others. */
function edited(text, edits, from = 0, to = text.length) {
  let result = '';
  let at = from;
  const inside = edits.filter(([start, end]) => start >= from && end <= to);
  for (const [start, end, replacement] of inside.sort((a, b) => a[0] - b[0])) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at, to);
}

/**
 * A source as V8 reads it fastest. V8 compiles a function in parentheses with its script, and reads it once; others it
 * reads once more at their first call.
 * - Comments are left out: they are a quarter of the text.
 * - Functions that ran get parentheses.
 * - So do, where the lines may change their numbers, declarations of functions that ran, which then come first.
 */
function prepared(source, ran, keepsLines) {
  const { comments, program } = require('@babel/parser').parse(source, { sourceType: 'script' });
  const edits = (comments ?? []).map(({ start, end }) => [start, end, source.slice(start, end).replace(/[^\n]+/g, '')]);
  const moved = [];
  for (const node of functionsIn(program)) {
    const { type, start, end } = node;
    if (!ran.some((range) => range[0] === start && range[1] === end)) continue;
    if (type !== 'FunctionDeclaration') edits.push([start, start, '('], [end, end, ')']);
    else if (!keepsLines && program.body.includes(node)) moved.push(node);
  }
  if (moved.length === 0) return edited(source, edits);
  const declared = moved.map(({ id, start, end }) => `const ${id.name} = (${edited(source, edits, start, end)});\n`);
  const [directive] = program.directives;
  const others = edits.filter(([start, end]) => !moved.some((node) => start >= node.start && end <= node.end));
  const removed = moved.map(({ start, end }) => [start, end, '']);
  return edited(source, [...others, ...removed, [directive.end, directive.end, `\n${declared.join('')}`]]);
}

/** The function of a file, which V8 compiles with the script. */
function functionOf(file, source, files) {
  const numbered = source.replace(REQUIRE, (text, name) => {
    const number = numberOf(file, name, files);
    return number < 0 ? text : `require(${number})`;
  });
  return `(function (exports, require, module, __filename, __dirname) {${numbered}\n})`;
}

/** The contents of all of them, by their names. */
function contentsOf(folder) {
  const programs = [EVERY, CALLS, LIBRARIES, POINTERS, RECORDS, TEXTS, ISOLATED, MOST];
  const [every, calls, libraries, pointers, records, texts, isolated, most] = programs.map((program) =>
    runProgram(program, folder),
  );
  const parserFiles = texts.files.filter((file) => file.startsWith('cdef/') && !records.files.includes(file));
  const parser = { ...texts, files: parserFiles };
  const files = [];
  /** For each script, and for LATER, those files that none before has, and their sources. */
  const runsOf = [
    [every],
    [calls, libraries],
    [libraries],
    [pointers],
    [parser, most],
    [isolated],
    [most, records, texts],
  ];
  const parts = runsOf.map((runs, i) => {
    const isScript = i < SCRIPTS.length;
    const loaded = isScript ? runs[0].files : runs.flatMap((run) => run.files);
    const added = [...new Set(loaded)].filter((file) => !files.includes(file));
    files.push(...added);
    return added.map((file) => {
      const source = fs.readFileSync(path.join(folder, 'lib', file), 'utf8');
      const ran = runs.flatMap((run) => run.ran[file] ?? []);
      return { file, source: prepared(source, ran, !isScript) };
    });
  });
  // Then a character is a byte, and a part of a file is a string as it is.
  const other = parts.flat().find(({ source }) => /[^\0-\x7f]/.test(source));
  if (other !== undefined) throw new Error(`lib/${other.file} has characters that are not ASCII`);
  const later = parts.pop();
  const head = later.map(({ file, source }) => [source.length, importsOf(file, source, files)]);
  const counts = parts.map(({ length }) => length);
  const scripts = parts.map((part, i) => {
    const functions = part.map(({ file, source }) => functionOf(file, source, files));
    const names = `exports.names = '${files.join()}'.split(',');\nexports.counts = [${counts}];\n`;
    return [SCRIPTS[i], `${i === 0 ? names : ''}exports.functions = [${functions.join(',\n')}];\n`];
  });
  return {
    ...Object.fromEntries(scripts),
    [LATER]: `${JSON.stringify(head)}\n${later.map(({ source }) => source).join('')}`,
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
