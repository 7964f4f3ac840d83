'use strict';
// `pinned-ffi bind HEADER`: a module from a C header. libclang reads the header; what it says is turned into
// declarations, each of which the package itself has taken before it is written.

const fs = require('node:fs');
const path = require('node:path');
const { version } = require('../package.json');
const { Progress } = require('./progress.js');
const { usageError, failure, onlyArgument } = require('./usage.js');

const help = `Usage: pinned-ffi bind HEADER.h [--lib NAME] [-o FILE.mts] [options]

Writes a module that binds what the header declares: functions, structs, unions, enums, variables and macros that are
plain constants, with their comments. libclang reads the header ($LIBCLANG, or the newest that is installed); the module
checks when it loads that structs lie in memory as the compiler had them. What is left out is listed at its end and on
stderr.

HEADER is a path, or is looked for as #include <HEADER>, and one folder below.

  --lib NAME         what dlopen opens; without it, the installed library that exports the most of the header's functions
  --pkg NAME         the package of pkg-config that the header belongs to: its folders and libraries
  -o, --output FILE  .ts or .mts; .js, .mjs or .cjs for JavaScript; .h for C text that cdef() takes; without it,
                     TypeScript goes to stdout
  -I, --include DIR  a folder of headers          -D, --define NAME[=VALUE]  a macro
  --flag FLAG        any other option of clang, as --flag=-include --flag=stdio.h
  --also PATH        a further header or folder whose declarations are bound (of the header's own, without this: those of
                     its folder and below, or only itself where the folder is one of the system's)
  --prefix PREFIX    only functions, variables and macros that begin so, and the types they need
  --hints FILE       a file of options: { "out": ["sqlite3_open*.ppDb"], "lib": "sqlite3", ... }
  --progress         says on stderr what it does, where that is no terminal, too

What C does not say, by patterns of names with * and ?; one that begins with ! takes out again. What does not fit is listed.

  --out F.PARAM            parameters that C writes through: the call returns them
  --inout F.PARAM          parameters that C reads and writes through
  --text F | F.PARAM | STRUCT.FIELD | TYPEDEF    char * that is text: results, out parameters, fields, xmlChar
  --number F | F.PARAM | STRUCT.FIELD            integers of 64 bits as numbers where they are exact
  --length F.PARAM=PARAM   a parameter that counts the bytes of another
  --free F                 functions that end the handle that they take;  --free F=FREE  texts that FREE frees
  --owner HANDLE=HANDLE    handles that end with another
  --fails F=negative|null|nonzero    results that are failures, which are thrown
  --errno F                functions whose errno is kept          --threads F    functions that wait for threads
  --leaf F                 functions that call no callback
  --inline F               inline functions, and macros with parameters, by C that the module compiles when it is loaded
`;

const many = { type: 'string', multiple: true };
const options = {
  lib: { type: 'string' },
  pkg: many,
  output: { type: 'string', short: 'o' },
  include: { ...many, short: 'I' },
  define: { ...many, short: 'D' },
  flag: many,
  also: many,
  prefix: many,
  hints: many,
  out: many,
  inout: many,
  text: many,
  number: many,
  length: many,
  free: many,
  owner: many,
  fails: many,
  errno: many,
  threads: many,
  leaf: many,
  inline: many,
  progress: { type: 'boolean' },
};

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs', '.h'];

/** Whether the nearest package.json makes a file an ES module; undefined where it does not say. */
function isEsModule(file) {
  for (let folder = path.dirname(path.resolve(file)); ; folder = path.dirname(folder)) {
    const found = path.join(folder, 'package.json');
    if (fs.existsSync(found)) {
      const { type } = JSON.parse(fs.readFileSync(found, 'utf8'));
      return type === undefined ? undefined : type === 'module';
    }
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** The kind of module of the output. */
function formatOf(output) {
  if (output === undefined) return { isTyped: true, isCommonJs: false };
  const extension = path.extname(output);
  if (!EXTENSIONS.includes(extension))
    throw usageError(`--output must end in ${EXTENSIONS.join(', ')}, received '${output}'`);
  if (extension === '.h') return { isText: true };
  const isTyped = extension.endsWith('ts');
  const isCommonJs = extension === '.cjs' || (extension === '.js' && isEsModule(output) !== true);
  const warning =
    extension === '.ts' && isEsModule(output) === false
      ? `warning: package.json makes ${output} a CommonJS file, and Node runs no TypeScript module in one; name it ${output.replace(/ts$/, 'mts')} (require() takes that too), or .cjs for JavaScript`
      : undefined;
  return { isTyped, isCommonJs, warning };
}

/** The options of files of hints, before those of the command line. */
function withHints(values) {
  const merged = { ...values };
  for (const file of values.hints ?? []) {
    const own = readHints(file);
    for (const [key, value] of Object.entries(own)) {
      const option = options[key];
      if (option === undefined || key === 'hints' || key === 'output')
        throw usageError(`--hints ${file}: there is no option '${key}'`);
      if (option.multiple) merged[key] = [...[value].flat(), ...(merged[key] ?? [])];
      else merged[key] ??= value;
    }
  }
  return merged;
}

function readHints(file) {
  let own;
  try {
    own = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw failure(`--hints ${file}: ${error.message}`);
  }
  const isText = (value) => typeof value === 'string';
  const isRight = (value) => isText(value) || value === true || (Array.isArray(value) && value.every(isText));
  if (typeof own !== 'object' || own === null || Array.isArray(own) || !Object.values(own).every(isRight))
    throw failure(`--hints ${file}: must be an object of texts and lists of texts`);
  return own;
}

function findOwn(name, folders) {
  const found = [name, ...folders.map((folder) => path.join(folder, name))].find((place) => fs.existsSync(place));
  if (found === undefined) throw usageError(`--also: there is no '${name}'`);
  return path.resolve(found);
}

async function run(given, positionals) {
  const name = onlyArgument(positionals, 'header');
  const values = withHints(given);
  const format = formatOf(values.output);
  const { Clang } = require('./bind/clang.js');
  const { Hints, HINTS } = require('./bind/hints.js');
  const { readPackage, standardFolders } = require('./bind/headers.js');
  const packages = (values.pkg ?? []).map(readPackage);
  const flags = [
    ...(values.include ?? []).map((folder) => `-I${path.resolve(folder)}`),
    ...packages.flatMap((each) => each.flags),
    ...(values.define ?? []).map((macro) => `-D${macro}`),
    ...(values.flag ?? []),
  ];
  const clang = new Clang(flags);
  const progress = new Progress(values.progress);
  try {
    const { bindHeader } = require('./bind/module.js');
    const { text, notes } = await bindHeader({
      clang,
      name,
      shown: name,
      format,
      progress,
      version,
      folders: values.include ?? [],
      packages: packages.flatMap(({ libraries }) => libraries),
      also: (roots) => (values.also ?? []).map((each) => findOwn(each, [...roots, ...standardFolders()])),
      hints: new Hints(Object.fromEntries(HINTS.map((option) => [option, values[option]]))),
      lib: values.lib,
      output: values.output,
      prefixes: values.prefix ?? [],
      inline: values.inline ?? [],
    });
    progress.end();
    if (values.output === undefined) process.stdout.write(text);
    else fs.writeFileSync(values.output, text);
    process.stderr.write(`${notes}${format.warning === undefined ? '' : `bind: ${format.warning}\n`}`);
    return 0;
  } finally {
    progress.end();
    clang.close();
  }
}

module.exports = { help, options, run };
