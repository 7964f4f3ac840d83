'use strict';
// `pinned-ffi bind HEADER`: a module from a C header. The compiler reads the header; what it says is turned into
// declarations, each of which the package itself has taken before it is written.

const fs = require('node:fs');
const path = require('node:path');
const { requirePermission } = require('../lib/native/permission.js');
const { version } = require('../package.json');
const { Progress } = require('./progress.js');
const { usageError, failure, onlyArgument } = require('./usage.js');

const help = `Usage: pinned-ffi bind HEADER.h [--lib NAME] [-o FILE.ts] [options]

Writes a TypeScript module that binds what the header declares: functions, structs, unions, enums, variables and macros
that are plain constants, with their comments. clang reads the header ($CLANG, clang, clang-NN); the module checks when it
loads that structs lie in memory as the compiler had them. What is left out is listed at its end and on stderr.

HEADER is a path, or is looked for as #include <HEADER>.

  --lib NAME         what dlopen opens; left out, it is guessed from the header's name and what libraries export
  -o, --output FILE  .ts or .mts, or .js or .mjs for JavaScript; left out, TypeScript goes to stdout
  -I, --include DIR  a folder of headers          -D, --define NAME[=VALUE]  a macro
  --flag FLAG        any other option of clang, as --flag=-include --flag=stdio.h
  --also PATH        a further header or folder whose declarations are bound (of the header's own, without this: those of
                     its folder and below, or only itself where the folder is one of the system's)
  --prefix PREFIX    only functions, variables and macros that begin so, and the types they need
  --out PATTERN      parameters that C writes through: FUNCTION.PARAMETER, with * and ?, as 'sqlite3_open*.ppDb'
  --inout PATTERN    the same for those that C reads and writes through
  --progress         says on stderr what it does, where that is no terminal, too
`;

const many = { type: 'string', multiple: true };
const options = {
  lib: { type: 'string' },
  output: { type: 'string', short: 'o' },
  include: { ...many, short: 'I' },
  define: { ...many, short: 'D' },
  flag: many,
  also: many,
  prefix: many,
  out: many,
  inout: many,
  progress: { type: 'boolean' },
};

const EXTENSIONS = { '.ts': true, '.mts': true, '.js': false, '.mjs': false };

/** Whether the output is TypeScript. */
function isTyped(output) {
  if (output === undefined) return true;
  const typed = EXTENSIONS[path.extname(output)];
  if (typed === undefined)
    throw usageError(`--output must end in ${Object.keys(EXTENSIONS).join(', ')}, received '${output}'`);
  return typed;
}

/** The header's file: as it is, or in the folders that the compiler looks in. */
function findHeader(name, folders) {
  const places = [name, ...(path.isAbsolute(name) ? [] : folders.map((folder) => path.join(folder, name)))];
  const found = places.find((place) => fs.statSync(place, { throwIfNoEntry: false })?.isFile());
  if (found === undefined) {
    throw failure(
      `there is no header '${name}'; looked for ${places.join(', ')}.\n` +
        'It comes with the development package of the library (Debian: lib...-dev), or give its folder by -I.',
    );
  }
  return path.resolve(found);
}

/** What tells whether a file belongs to what is bound. */
function ownership(header, folders, also) {
  const real = new Map();
  const realPath = (file) => {
    if (!real.has(file)) real.set(file, fs.existsSync(file) ? fs.realpathSync(file) : file);
    return real.get(file);
  };
  const roots = new Set(folders.map(realPath));
  const folder = path.dirname(header);
  const own = [
    header,
    ...(roots.has(realPath(folder)) ? [] : [folder]),
    ...also.map((each) => findOwn(each, folders)),
  ].map(realPath);
  return (file) => {
    // <built-in>, <command line>: what the compiler calls itself.
    if (file.startsWith('<')) return false;
    const place = realPath(path.resolve(file));
    return own.some((each) => place === each || place.startsWith(each + path.sep));
  };
}

function findOwn(name, folders) {
  const found = [name, ...folders.map((folder) => path.join(folder, name))].find((place) => fs.existsSync(place));
  if (found === undefined) throw usageError(`--also: there is no '${name}'`);
  return path.resolve(found);
}

async function run(values, positionals) {
  requirePermission('bind');
  const name = onlyArgument(positionals, 'header');
  const typed = isTyped(values.output);
  const { findClang, Clang } = require('./bind/clang.js');
  const flags = [
    ...(values.include ?? []).map((folder) => `-I${folder}`),
    ...(values.define ?? []).map((macro) => `-D${macro}`),
    ...(values.flag ?? []),
  ];
  const clang = new Clang(findClang(), flags);
  const progress = new Progress(values.progress);
  try {
    const folders = [
      ...(values.include ?? []).map((folder) => path.resolve(folder)),
      ...(await clang.includeFolders()),
    ];
    const header = findHeader(name, folders);
    const isOwn = ownership(header, folders, values.also ?? []);
    const { bindHeader } = require('./bind/module.js');
    const { text, notes } = await bindHeader({
      clang,
      header,
      isOwn,
      typed,
      progress,
      version,
      lib: values.lib,
      output: values.output,
      prefixes: values.prefix ?? [],
      out: values.out ?? [],
      inout: values.inout ?? [],
      shown: name,
    });
    progress.end();
    if (values.output === undefined) process.stdout.write(text);
    else fs.writeFileSync(values.output, text);
    process.stderr.write(notes);
    return 0;
  } finally {
    progress.end();
    clang.close();
  }
}

module.exports = { help, options, run };
