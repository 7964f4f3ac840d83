'use strict';
// Reads C by libclang: source files, their errors, and the cursors and types of their declarations.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { array, JSCallback } = require('../../index.js');
const { failure } = require('../usage.js');
const { openLibclang } = require('./libclang.js');

/** Kinds of cursors (CXCursorKind). */
const Cursor = {
  struct: 2,
  union: 3,
  enum: 5,
  field: 6,
  enumerator: 7,
  reference: 101,
  function: 8,
  variable: 9,
  typedef: 20,
  macro: 501,
  inclusion: 503,
};

/** Kinds of types (CXTypeKind). */
const Type = {
  invalid: 0,
  unexposed: 1,
  pointer: 101,
  record: 105,
  enum: 106,
  typedef: 107,
  functionWithoutTypes: 110,
  function: 111,
  array: 112,
  vector: 113,
  openArray: 114,
  variableArray: 115,
  elaborated: 119,
  attributed: 163,
};

const CURSOR = 'struct { int kind; int xdata; const void *a; const void *b; const void *c; }';
const [CONTINUE] = [1];
const ERROR = 3;

// CXTranslationUnit_Flags.
const DETAILED_PREPROCESSING = 0x01;
const PRECOMPILED_PREAMBLE = 0x04;

const FLAGS = [
  '-x',
  'c',
  '-std=gnu17',
  '-w',
  '-ferror-limit=0',
  '-fno-color-diagnostics',
  '-fparse-all-comments',
  '-fretain-comments-from-system-headers',
];

/** The folder of the system's headers, where the compiler does not know it by itself. */
function systemFlags() {
  if (process.platform !== 'darwin') return [];
  const { spawnSync } = require('node:child_process');
  const { status, stdout } = spawnSync('xcrun', ['--show-sdk-path'], { encoding: 'utf8' });
  return status === 0 ? ['-isysroot', stdout.trim()] : [];
}

/** libclang with the options that a header needs. */
class Clang {
  #index;
  #units = [];
  #flags;
  /** The options that a compiler needs for the same header, too. */
  own = [];
  #files = new Map();
  #visit;
  #visitFields;
  #visitors = [];
  #file = new BigUint64Array(1);
  #line = new Uint32Array(1);
  #offset = new Uint32Array(1);

  /** @param {string[]} flags -I, -D and what else the user wants of it */
  constructor(flags) {
    const { symbols, resourceFolder, path: file } = openLibclang();
    this.c = symbols;
    this.path = file;
    this.#index = symbols.clang_createIndex(0, 0);
    const resources = resourceFolder === undefined ? [] : ['-resource-dir', resourceFolder];
    this.#flags = [...FLAGS, ...resources, ...systemFlags()];
    this.addFlags(flags);
    this.version = this.text(symbols.clang_getClangVersion());
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-bind-'));
    this.#visit = new JSCallback(
      (cursor) => (this.#visitors.at(-1)(cursor), CONTINUE),
      `int (*)(${CURSOR}, ${CURSOR}, void *)`,
    );
    this.#visitFields = new JSCallback(
      (cursor) => (this.#visitors.at(-1)(cursor), CONTINUE),
      `int (*)(${CURSOR}, void *)`,
    );
  }

  /** Frees what libclang holds, and removes what was written. */
  close() {
    this.#units.forEach((unit) => this.c.clang_disposeTranslationUnit(unit));
    this.c.clang_disposeIndex(this.#index);
    this.#visit.close();
    this.#visitFields.close();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** Adds options for the units that are parsed from now on. */
  addFlags(flags) {
    this.own.push(...flags);
    this.#flags.push(...flags);
  }

  /** A C file in the folder of ours: its path. */
  write(name, text) {
    const file = path.join(this.folder, name);
    fs.writeFileSync(file, text);
    return file;
  }

  /** Parses a file, with its macros. */
  parse(file) {
    return this.#parse(file, DETAILED_PREPROCESSING);
  }

  /** Parses a file that may be changed and parsed again: the second time, the headers at its start are kept. */
  parseOften(file) {
    return this.#parse(file, PRECOMPILED_PREAMBLE);
  }

  #parse(file, options) {
    const args = array('cstring', this.#flags.length).alloc(this.#flags);
    const { returns, out } = this.c.clang_parseTranslationUnit2(
      this.#index,
      file,
      args,
      this.#flags.length,
      null,
      0,
      options,
    );
    if (returns !== 0) throw failure(`libclang cannot read ${file} (error ${returns})`);
    this.#units.push(out[0]);
    return out[0];
  }

  parseAgain(unit) {
    const result = this.c.clang_reparseTranslationUnit(unit, 0, null, 0);
    if (result !== 0) throw failure(`libclang cannot read its questions (error ${result})`);
  }

  /** The errors of a unit: { file, line, message, text }. */
  errors(unit) {
    const { c } = this;
    const errors = [];
    for (let i = 0; i < c.clang_getNumDiagnostics(unit); i++) {
      const diagnostic = c.clang_getDiagnostic(unit, i);
      if (c.clang_getDiagnosticSeverity(diagnostic) >= ERROR) {
        const { file, line } = this.#placeOf(c.clang_getDiagnosticLocation(diagnostic));
        errors.push({
          file,
          line,
          message: this.text(c.clang_getDiagnosticSpelling(diagnostic)),
          text: this.text(c.clang_formatDiagnostic(diagnostic, 0x1 | 0x2)),
        });
      }
      c.clang_disposeDiagnostic(diagnostic);
    }
    return errors;
  }

  /** The text of a CXString, which is freed. */
  text(string) {
    const text = this.c.clang_getCString(string);
    this.c.clang_disposeString(string);
    return text ?? '';
  }

  // ---- cursors ------------------------------------------------------------------------------------------------------

  /** The cursors below one, each once, in the order of the file. */
  children(cursor) {
    const found = [];
    this.#visitors.push((each) => found.push(each));
    this.c.clang_visitChildren(cursor, this.#visit, null);
    this.#visitors.pop();
    return found;
  }

  childrenOfUnit(unit) {
    return this.children(this.c.clang_getTranslationUnitCursor(unit));
  }

  /** The fields of a struct or union, the nameless ones too. */
  fields(type) {
    const found = [];
    this.#visitors.push((each) => found.push(each));
    this.c.clang_Type_visitFields(type, this.#visitFields, null);
    this.#visitors.pop();
    return found;
  }

  spelling(cursor) {
    return this.text(this.c.clang_getCursorSpelling(cursor));
  }

  /** Where a cursor stands: { file, line, offset }; `file` is undefined for the compiler's own declarations. */
  place(cursor) {
    return this.#placeOf(this.c.clang_getCursorLocation(cursor));
  }

  /** The first and the last offset of a cursor in its file. */
  extent(cursor) {
    const range = this.c.clang_getCursorExtent(cursor);
    const start = this.#placeOf(this.c.clang_getRangeStart(range));
    return { file: start.file, start: start.offset, end: this.#placeOf(this.c.clang_getRangeEnd(range)).offset };
  }

  // It is called for every cursor, so its results go to the same memory each time.
  #placeOf(location) {
    this.c.clang_getExpansionLocation(location, this.#file, this.#line, null, this.#offset);
    const file = this.#file[0];
    return { file: file === 0n ? undefined : this.fileName(file), line: this.#line[0], offset: this.#offset[0] };
  }

  /** The path of a CXFile. */
  fileName(file) {
    let name = this.#files.get(file);
    if (name === undefined) {
      name = path.resolve(this.text(this.c.clang_getFileName(file)));
      this.#files.set(file, name);
    }
    return name;
  }

  /** The file that an #include names; undefined where it is not found. */
  includedFile(cursor) {
    const file = this.c.clang_getIncludedFile(cursor);
    return file === null ? undefined : this.fileName(BigInt(file));
  }

  /** A key that declarations of the same thing share in a unit. */
  keyOf(cursor) {
    return this.c.clang_getCanonicalCursor(cursor).a;
  }

  /** A key that they share in all units. */
  globalKeyOf(cursor) {
    return this.text(this.c.clang_getCursorUSR(cursor));
  }

  /** A type as C writes it; typeof, which does not say what it is, as what it is. */
  spellingOf(type) {
    const text = this.text(this.c.clang_getTypeSpelling(type));
    return text.includes('typeof')
      ? this.text(this.c.clang_getTypeSpelling(this.c.clang_getCanonicalType(type)))
      : text;
  }

  /** Why a declaration is deprecated; undefined where it is not. */
  deprecation(cursor) {
    const AVAILABLE = 0;
    if (this.c.clang_getCursorAvailability(cursor) === AVAILABLE) return undefined;
    const { out } = this.c.clang_getCursorPlatformAvailability(cursor, null, 0);
    const [isDeprecated, message, , unavailability] = out;
    this.text(unavailability);
    const text = this.text(message);
    return isDeprecated === 0 ? undefined : text;
  }
}

module.exports = { Clang, Cursor, Type };
