'use strict';
// `pinned-ffi info LIB`: prints the exports and needs of a library, and where it was found. The file is only read.

const fs = require('node:fs');
const path = require('node:path');
const { table, plain, count } = require('./table.js');
const { onlyArgument } = require('./usage.js');

const help = `Usage: pinned-ffi info LIB [--symbols PATTERN] [--imports] [--json]

LIB is a path, a file: URL or a bare name, which is looked for as dlopen does. The file is read, not loaded: no code
of it runs, and it may be for another system (ELF, Mach-O, PE).

  --symbols PATTERN  only symbols that match: * is any text, ? one character; without them a part of the name
  --imports          also what it wants of other libraries
  --json             an object for programs
`;

const options = {
  symbols: { type: 'string' },
  imports: { type: 'boolean' },
  json: { type: 'boolean' },
};

/** Whether a name matches: a pattern of the shell's kind, or a part of the name. */
function matcher(pattern) {
  if (pattern === undefined) return () => true;
  if (!/[*?]/.test(pattern)) return (name) => name.includes(pattern);
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const expression = new RegExp(`^${source}$`, 's');
  return (name) => expression.test(name);
}

/** The output of --json. */
function described(name, found, isWanted) {
  const { fileOf } = require('../lib/library/search.js');
  return {
    name,
    path: found.path,
    realPath: fs.realpathSync(found.path),
    foundAs: found.candidate,
    libraries: found.reports.map((report) => ({
      format: report.format,
      architecture: report.architecture,
      bits: report.bits,
      endianness: report.endianness,
      loadable: found.isLoadable(report),
      soname: report.soname ?? null,
      searchPath: report.searchPath ?? null,
      dependencies: report.dependencies.map((each) => ({ name: each, path: pathOf(each, found, fileOf) })),
      exports: report.exports.filter((symbol) => isWanted(symbol.name)),
      imports: report.imports.filter((symbol) => isWanted(symbol.name)),
    })),
  };
}

/** The path of a dependency, if it can be found without the loader, which expands $ORIGIN and @rpath. */
function pathOf(name, found, fileOf) {
  const beside = path.join(path.dirname(found.path), path.basename(name));
  if (/^@(rpath|loader_path|executable_path)\//.test(name)) return fs.existsSync(beside) ? beside : null;
  return fileOf(name);
}

// In brackets: a version that dlopen does not find without its name.
const versionOf = ({ version, isDefault }) => (version === undefined || isDefault ? version : `(${version})`);

function printLibrary(library, write, withImports) {
  const { format, bits, architecture, endianness, loadable, soname, searchPath, dependencies } = library;
  const facts = [
    [
      'format',
      `${format}, ${bits} bits, ${architecture}${endianness === 'BE' ? ', big-endian' : ''}` +
        (loadable ? '' : `: not for this process (${process.platform}, ${process.arch})`),
    ],
    ['soname', soname],
    ['search path', searchPath],
  ];
  write(table(facts.filter(([, value]) => value !== null)));
  write(`\nneeds ${count(dependencies.length, 'library', 'libraries')}\n`);
  write(table(dependencies.map(({ name, path: file }) => [name, file ?? 'not found'])));
  write(`\nexports ${count(library.exports.length, 'symbol')}\n`);
  if (library.exports.length > 0) {
    write(
      table([
        ['name', 'kind', 'size', 'version'],
        ...library.exports.map((symbol) => [
          symbol.name,
          symbol.target === undefined ? symbol.kind : `-> ${symbol.target}`,
          symbol.size,
          versionOf(symbol),
        ]),
      ]),
    );
  }
  if (!withImports) return;
  write(`\nimports ${count(library.imports.length, 'symbol')}\n`);
  write(table(library.imports.map((symbol) => [symbol.name, symbol.library])));
}

function run({ symbols, imports = false, json = false }, positionals) {
  const name = onlyArgument(positionals, 'library');
  const { toPath } = require('../lib/library/resolve.js');
  const { inspect, isLoadable } = require('../lib/library/inspect.js');
  const found = { ...inspect(toPath(name, 'info: LIB')), isLoadable };
  const report = described(name, found, matcher(symbols));
  const write = (text) => process.stdout.write(text);
  if (json) {
    write(`${JSON.stringify(report, null, 2)}\n`);
    return 0;
  }
  write(`${plain(report.path)}${report.realPath === report.path ? '' : ` -> ${plain(report.realPath)}`}\n`);
  report.libraries.forEach((library, i) => {
    if (i > 0) write('\n');
    printLibrary(library, write, imports);
  });
  return 0;
}

module.exports = { help, options, run };
