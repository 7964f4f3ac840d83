'use strict';
// libclang, opened by this package itself: where it is, and the functions of its C interface that `bind` calls.

const fs = require('node:fs');
const path = require('node:path');
const { failure } = require('../usage.js');

// The interface is stable: these declarations are those of every libclang since LLVM 9 (clang-c/Index.h).
const API = `
  typedef struct { const void *data; unsigned flags; } CXString;
  typedef struct { int kind; int xdata; const void *a; const void *b; const void *c; } CXCursor;
  typedef struct { int kind; void *a; void *b; } CXType;
  typedef struct { const void *a; const void *b; unsigned offset; } CXSourceLocation;
  typedef struct { const void *a; const void *b; unsigned begin; unsigned end; } CXSourceRange;

  const char *clang_getCString(CXString string);
  void clang_disposeString(CXString string);
  CXString clang_getClangVersion(void);

  void *clang_createIndex(int excludeDeclarationsFromPCH, int displayDiagnostics);
  void clang_disposeIndex(void *index);
  int clang_parseTranslationUnit2(void *index, const char *file, void *args, int count, void *unsaved,
    unsigned unsavedCount, unsigned options, _Out_ void **unit);
  int clang_reparseTranslationUnit(void *unit, unsigned unsavedCount, void *unsaved, unsigned options);
  void clang_disposeTranslationUnit(void *unit);
  unsigned clang_getNumDiagnostics(void *unit);
  void *clang_getDiagnostic(void *unit, unsigned index);
  void clang_disposeDiagnostic(void *diagnostic);
  int clang_getDiagnosticSeverity(void *diagnostic);
  CXSourceLocation clang_getDiagnosticLocation(void *diagnostic);
  CXString clang_formatDiagnostic(void *diagnostic, unsigned options);
  CXString clang_getDiagnosticSpelling(void *diagnostic);

  CXCursor clang_getTranslationUnitCursor(void *unit);
  unsigned clang_visitChildren(CXCursor parent, int (*visitor)(CXCursor, CXCursor, void *), void *data);
  unsigned clang_Type_visitFields(CXType type, int (*visitor)(CXCursor, void *), void *data);
  CXString clang_getCursorSpelling(CXCursor cursor);
  CXType clang_getCursorType(CXCursor cursor);
  CXCursor clang_getCanonicalCursor(CXCursor cursor);
  CXCursor clang_getCursorDefinition(CXCursor cursor);
  CXCursor clang_getCursorSemanticParent(CXCursor cursor);
  CXSourceLocation clang_getCursorLocation(CXCursor cursor);
  CXSourceRange clang_getCursorExtent(CXCursor cursor);
  CXSourceLocation clang_getRangeStart(CXSourceRange range);
  CXSourceLocation clang_getRangeEnd(CXSourceRange range);
  void clang_getExpansionLocation(CXSourceLocation location, void **file, unsigned *line, unsigned *column,
    unsigned *offset);
  CXString clang_getFileName(void *file);
  void *clang_getIncludedFile(CXCursor cursor);
  CXString clang_getCursorUSR(CXCursor cursor);
  CXString clang_Cursor_getRawCommentText(CXCursor cursor);
  CXString clang_Cursor_getMangling(CXCursor cursor);
  int clang_Cursor_getStorageClass(CXCursor cursor);
  unsigned clang_Cursor_isFunctionInlined(CXCursor cursor);
  unsigned clang_Cursor_isAnonymous(CXCursor cursor);
  int clang_Cursor_getNumArguments(CXCursor cursor);
  CXCursor clang_Cursor_getArgument(CXCursor cursor, unsigned index);
  unsigned clang_Cursor_isMacroFunctionLike(CXCursor cursor);
  int clang_getCursorAvailability(CXCursor cursor);
  int clang_getCursorPlatformAvailability(CXCursor cursor, _Out_ int *isDeprecated, _Out_ CXString *deprecation,
    _Out_ int *isUnavailable, _Out_ CXString *unavailability, void *availability, int size);

  unsigned clang_Cursor_isBitField(CXCursor cursor);
  int clang_getFieldDeclBitWidth(CXCursor cursor);
  long long clang_Cursor_getOffsetOfField(CXCursor cursor);
  CXType clang_getTypedefDeclUnderlyingType(CXCursor cursor);
  CXType clang_getEnumDeclIntegerType(CXCursor cursor);
  long long clang_getEnumConstantDeclValue(CXCursor cursor);
  unsigned long long clang_getEnumConstantDeclUnsignedValue(CXCursor cursor);

  CXString clang_getTypeSpelling(CXType type);
  CXType clang_getCanonicalType(CXType type);
  unsigned clang_isConstQualifiedType(CXType type);
  CXType clang_getPointeeType(CXType type);
  CXCursor clang_getTypeDeclaration(CXType type);
  CXType clang_Type_getNamedType(CXType type);
  CXType clang_Type_getModifiedType(CXType type);
  CXType clang_getResultType(CXType type);
  int clang_getNumArgTypes(CXType type);
  CXType clang_getArgType(CXType type, unsigned index);
  unsigned clang_isFunctionTypeVariadic(CXType type);
  CXType clang_getArrayElementType(CXType type);
  long long clang_getArraySize(CXType type);
  long long clang_Type_getSizeOf(CXType type);
  long long clang_Type_getAlignOf(CXType type);

  void *clang_Cursor_Evaluate(CXCursor cursor);
  int clang_EvalResult_getKind(void *result);
  long long clang_EvalResult_getAsLongLong(void *result);
  unsigned clang_EvalResult_isUnsignedInt(void *result);
  unsigned long long clang_EvalResult_getAsUnsigned(void *result);
  double clang_EvalResult_getAsDouble(void *result);
  const char *clang_EvalResult_getAsStr(void *result);
  void clang_EvalResult_dispose(void *result);
`;

const advice = {
  linux: 'apt install clang, dnf install clang, apk add clang-libclang clang',
  darwin: 'xcode-select --install',
  win32: 'winget install LLVM.LLVM',
};

/** The names in a folder that match, the one with the highest number first; none where there is no such folder. */
function listed(folder, pattern) {
  try {
    const numberOf = (name) => Number(/\d+/.exec(name)?.[0] ?? 0);
    return fs
      .readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort((a, b) => numberOf(b) - numberOf(a))
      .map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Where distributions put libclang, besides where the loader looks. */
function installedPlaces() {
  switch (process.platform) {
    case 'win32':
      return [process.env.ProgramFiles ?? 'C:\\Program Files', 'C:\\Program Files (x86)'].map((folder) =>
        path.join(folder, 'LLVM', 'bin', 'libclang.dll'),
      );
    case 'darwin': {
      const tools = '/Library/Developer/CommandLineTools/usr/lib';
      const xcode = '/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib';
      const brew = ['/opt/homebrew/opt', '/usr/local/opt'].flatMap((folder) => listed(folder, /^llvm(@\d+)?$/));
      return [tools, xcode, ...brew.map((folder) => path.join(folder, 'lib'))].map((folder) =>
        path.join(folder, 'libclang.dylib'),
      );
    }
    default: {
      const folders = listed('/usr/lib', /^llvm-?\d+$/).map((folder) => path.join(folder, 'lib'));
      const pattern = /^libclang(-\d+)?\.so(\.\d+)*$/;
      return [
        ...folders.flatMap((folder) => listed(folder, pattern)),
        ...listed('/usr/lib64', pattern),
        ...listed('/usr/lib', pattern),
      ];
    }
  }
}

/** The file of libclang: that of $LIBCLANG, or the newest that is installed; undefined where there is none. */
function findLibclang() {
  const chosen = process.env.LIBCLANG;
  if (chosen) {
    if (fs.existsSync(chosen)) return chosen;
    throw failure(`LIBCLANG is '${chosen}', and there is no such file`);
  }
  return installedPlaces().find((file) => fs.existsSync(file)) ?? loaderFinds();
}

/** The library that the loader finds by the plain name. */
function loaderFinds() {
  const { inspect } = require('../../lib/library/inspect.js');
  try {
    return inspect('clang').path;
  } catch {
    return undefined;
  }
}

/**
 * The folder of the compiler's own headers (stddef.h), which libclang looks for next to itself. Undefined where that is
 * right: some distributions keep them elsewhere.
 */
function resourceFolder(library) {
  const real = fs.realpathSync(library);
  const major = /libclang-(\d+)/.exec(real)?.[1];
  const folders = [library, real].flatMap((file) => [
    path.join(path.dirname(file), 'clang'),
    path.join(path.dirname(file), '..', 'lib', 'clang'),
  ]);
  if (major !== undefined) folders.push(`/usr/lib/llvm-${major}/lib/clang`, '/usr/lib/clang', '/usr/lib64/clang');
  const versions = folders.flatMap((folder) => listed(folder, /^\d/));
  const isWhole = (folder) => fs.existsSync(path.join(folder, 'include', 'stddef.h'));
  const ofMajor = versions.filter((folder) => major === undefined || path.basename(folder).split('.')[0] === major);
  return [...ofMajor, ...versions].find(isWhole);
}

/**
 * Opens libclang.
 * @returns {{ symbols: any, resourceFolder: string | undefined, path: string }}
 */
function openLibclang() {
  const file = findLibclang();
  if (file === undefined) {
    throw failure(
      'libclang is not found: it is what reads the headers.\n' +
        `Install it (${advice[process.platform] ?? advice.linux}), or name its file in the variable LIBCLANG.`,
    );
  }
  const { dlopen } = require('../../index.js');
  try {
    return {
      symbols: dlopen(file, /** @type {any} */ (API)).symbols,
      resourceFolder: resourceFolder(file),
      path: file,
    };
  } catch (error) {
    throw failure(`${file} is no libclang that this program can use: ${error.message}`);
  }
}

module.exports = { findLibclang, openLibclang };
