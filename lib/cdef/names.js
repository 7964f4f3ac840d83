'use strict';
// The type names that a text may use without declaring them: those of the language, of the C library, of POSIX and of
// Windows. Each is a name of the package's type table, or what it stands for.

const { LateMap } = require('../late-map.js');

const isWindows = process.platform === 'win32';
const isApple = process.platform === 'darwin';
/** C's long, whose width differs: the table has it under its C name. */
const [LONG, ULONG] = ['long', 'unsigned long'];

const group = (type, names) => names.split(' ').map((name) => [name, type]);

/** Integer types by their bits, as the language and <stdint.h> name them. */
const STANDARD = [
  ...['int8_t', 'int16_t', 'int32_t', 'int64_t', 'uint8_t', 'uint16_t', 'uint32_t', 'uint64_t'].map((name) => [
    name,
    name,
  ]),
  ...['size_t', 'ssize_t', 'intptr_t', 'uintptr_t', 'ptrdiff_t', 'wchar_t', 'char16_t', 'char32_t'].map((name) => [
    name,
    name,
  ]),
  ...group('int8_t', 'int_least8_t int_fast8_t'),
  ...group('uint8_t', 'uint_least8_t uint_fast8_t char8_t'),
  ...group('int16_t', 'int_least16_t'),
  ...group('uint16_t', 'uint_least16_t'),
  ...group('int32_t', 'int_least32_t'),
  ...group('uint32_t', 'uint_least32_t'),
  ...group('int64_t', 'int_least64_t int_fast64_t intmax_t'),
  ...group('uint64_t', 'uint_least64_t uint_fast64_t uintmax_t'),
  ...group(isWindows || isApple ? 'int32_t' : 'intptr_t', 'int_fast32_t'),
  ...group(isWindows || isApple ? 'uint32_t' : 'uintptr_t', 'uint_fast32_t'),
  ...group(isApple ? 'int16_t' : isWindows ? 'int32_t' : 'intptr_t', 'int_fast16_t'),
  ...group(isApple ? 'uint16_t' : isWindows ? 'uint32_t' : 'uintptr_t', 'uint_fast16_t'),
  ['wint_t', isWindows ? 'uint16_t' : isApple ? 'int' : 'unsigned int'],
  ['sig_atomic_t', 'int'],
  // No names of C: integers whose values are numbers.
  ['i64_number', 'i64_number'],
  ['u64_number', 'u64_number'],
];

const POSIX = [
  ...group('int', 'pid_t clockid_t key_t errno_t error_t regoff_t nl_item mqd_t pthread_spinlock_t'),
  ...group('unsigned int', 'uid_t gid_t id_t useconds_t socklen_t u_int uint in_addr_t tcflag_t speed_t pthread_key_t'),
  ...group('unsigned int', 'idtype_t VISIT ACTION'),
  ...group(isApple ? 'uint16_t' : 'unsigned int', 'mode_t'),
  ...group('uint16_t', 'in_port_t u_short ushort'),
  ...group('unsigned char', 'u_char cc_t'),
  ...group(isApple ? 'uint8_t' : 'uint16_t', 'sa_family_t'),
  ...group(ULONG, 'u_long ulong pthread_t'),
  ...group(LONG, 'clock_t time_t Lmid_t register_t'),
  ...group(isApple ? 'uint32_t' : ULONG, 'wctype_t'),
  ...group('float', 'float_t'),
  ...group('double', 'double_t'),
  ...group(isApple ? 'int' : LONG, 'suseconds_t'),
  ...group(isApple ? 'int32_t' : 'uint64_t', 'dev_t'),
  ...group('uint64_t', 'ino_t ino64_t rlim_t u_int64_t'),
  ...group('int64_t', 'off_t off64_t loff_t quad_t'),
  ...group(isApple ? 'int32_t' : LONG, 'blksize_t'),
  ...group('int64_t', 'blkcnt_t'),
  ...group(isApple ? 'uint16_t' : 'uint64_t', 'nlink_t'),
  ...group(isApple ? 'unsigned int' : ULONG, 'nfds_t fsblkcnt_t fsfilcnt_t'),
  ...group('uint8_t', 'u_int8_t'),
  ...group('uint16_t', 'u_int16_t'),
  ...group('uint32_t', 'u_int32_t'),
  ...group('void *', 'locale_t iconv_t nl_catd timer_t caddr_t'),
  ...group('function', 'sighandler_t sig_t'),
];

const windowsNames = () => [
  ...group('uint8_t', 'BYTE UCHAR BOOLEAN UINT8'),
  ...group('char', 'CHAR CCHAR'),
  ...group('int8_t', 'INT8'),
  ...group('int16_t', 'SHORT INT16'),
  ...group('uint16_t', 'WORD USHORT UINT16 ATOM WCHAR LANGID'),
  ...group('int32_t', 'INT INT32 LONG LONG32 BOOL HRESULT NTSTATUS HFILE'),
  ...group('uint32_t', 'UINT UINT32 ULONG ULONG32 DWORD DWORD32 COLORREF LCID ACCESS_MASK'),
  ...group('int64_t', 'LONGLONG LONG64 INT64 __int64'),
  ...group('uint64_t', 'ULONGLONG ULONG64 DWORD64 DWORDLONG UINT64'),
  ...group('intptr_t', 'INT_PTR LONG_PTR SSIZE_T LPARAM LRESULT'),
  ...group('uintptr_t', 'UINT_PTR ULONG_PTR DWORD_PTR SIZE_T WPARAM'),
  ...group('float', 'FLOAT'),
  ...group('double', 'DOUBLE'),
  ['VOID', 'void'],
  ...group(
    'void *',
    'HANDLE HWND HINSTANCE HMODULE HDC HGDIOBJ HBITMAP HBRUSH HFONT HICON HCURSOR HMENU HKEY HGLOBAL HLOCAL HRSRC SC_HANDLE PVOID LPVOID LPCVOID PSECURITY_ATTRIBUTES LPSECURITY_ATTRIBUTES LPOVERLAPPED',
  ),
  ...group('function', 'FARPROC PROC'),
  ...group('void *', 'LPSTR PSTR PCHAR LPWSTR PWSTR PWCHAR PBYTE LPBYTE PUCHAR'),
  ...group('cstring', 'LPCSTR PCSTR'),
  ...group('utf16', 'LPCWSTR PCWSTR'),
  ...['BOOL', 'DWORD', 'WORD', 'INT', 'UINT', 'LONG', 'ULONG'].flatMap((name) => [
    [`LP${name}`, `${name} *`],
    [`P${name}`, `${name} *`],
  ]),
];

/** Structs of the C library of which programs hold only pointers. */
const OPAQUE = new Set(['FILE', 'DIR']);
/** Types of the C library whose size the text does not tell: pointers to them are plain addresses. */
const HIDDEN = new Set([
  'regex_t',
  'fpos_t',
  'mbstate_t',
  'va_list',
  'jmp_buf',
  'sigset_t',
  'fd_set',
  'glob_t',
  'wordexp_t',
  'pthread_attr_t',
  'pthread_mutex_t',
  'pthread_mutexattr_t',
  'pthread_cond_t',
  'pthread_condattr_t',
  'pthread_rwlock_t',
  'pthread_once_t',
  'sem_t',
  'siginfo_t',
  'stack_t',
  'ucontext_t',
  'cpu_set_t',
  'regmatch_t',
  'fenv_t',
  'fexcept_t',
  'sigjmp_buf',
  'Dl_info',
  'ENTRY',
  'FTS',
  'FTSENT',
  'div_t',
  'ldiv_t',
  'lldiv_t',
  'imaxdiv_t',
  'mtx_t',
  'cnd_t',
  'once_flag',
  'pthread_barrier_t',
  'pthread_barrierattr_t',
  'pthread_rwlockattr_t',
  'posix_spawn_file_actions_t',
  'posix_spawnattr_t',
  'DBM',
  'SOCKET_ADDRESS',
  '__builtin_va_list',
  '__gnuc_va_list',
  '_Float64x',
  '_Float128',
  '__float128',
  '__int128_t',
  '__uint128_t',
]);

const ofThisSystem = new Map([...STANDARD, ...POSIX]);
/**
 * A name as it is in the headers of the GNU C library.
 * @returns {[string, string]}
 */
const prefixed = (name) => [`__${name}`, ofThisSystem.get(name)];

/** The names in the headers of the GNU C library. */
const gnuNames = () => [
  ...(
    'ssize_t off_t off64_t pid_t uid_t gid_t mode_t time_t clock_t clockid_t dev_t ino_t nlink_t socklen_t useconds_t ' +
    'suseconds_t id_t key_t blksize_t blkcnt_t int8_t uint8_t int16_t uint16_t int32_t uint32_t int64_t uint64_t'
  )
    .split(' ')
    .map(prefixed),
  ['__sighandler_t', 'function'],
  ...group('float', '_Float32'),
  ...group('double', '_Float64 _Float32x'),
];

/** Those of Windows and of the GNU C library begin with a capital or an underscore: 95 is `_`, behind the capitals. */
const mayBeLate = (name) => name.charCodeAt(0) <= 95;

/** Adds the names of Windows and of the GNU C library, which few programs use. */
function addLate(map) {
  for (const [name, type] of [...windowsNames(), ...gnuNames()]) map.set(name, type);
}

/**
 * Name -> the name of a scalar type, 'void *', 'T *', or a text type.
 * @type {Map<string, string>}
 */
const KNOWN = new LateMap(ofThisSystem, addLate, mayBeLate);

/** The words that make up the arithmetic types, and words that are spellings of others. */
const ARITHMETIC = new Set([
  'void',
  'char',
  'short',
  'int',
  'long',
  'float',
  'double',
  'signed',
  'unsigned',
  '_Bool',
  'bool',
]);
const SPELLINGS = {
  __proto__: null,
  __signed: 'signed',
  __signed__: 'signed',
  __int8: 'char',
  __int16: 'short',
  __int32: 'int',
};

/**
 * The ways to write a type.
 * @returns {[string, string][]}
 */
const spellingsOf = (name, list) => list.map((words) => [words, name]);

/** Words of the arithmetic types, sorted -> the name in the type table. */
const ARITHMETICS = new Map([
  ['void', 'void'],
  ['_Bool', 'bool'],
  ['bool', 'bool'],
  ['char', 'char'],
  ['char signed', 'signed char'],
  ['char unsigned', 'unsigned char'],
  ['float', 'float'],
  ['double', 'double'],
  ...spellingsOf('short', ['short', 'int short', 'short signed', 'int short signed']),
  ...spellingsOf('unsigned short', ['short unsigned', 'int short unsigned']),
  ...spellingsOf('int', ['int', 'signed', 'int signed']),
  ...spellingsOf('unsigned int', ['unsigned', 'int unsigned']),
  ...spellingsOf('long', ['long', 'int long', 'long signed', 'int long signed']),
  ...spellingsOf('unsigned long', ['long unsigned', 'int long unsigned']),
  ...spellingsOf('long long', ['long long', 'int long long', 'long long signed', 'int long long signed']),
  ...spellingsOf('unsigned long long', ['long long unsigned', 'int long long unsigned']),
]);

const STORAGE = new Set([
  'extern',
  'static',
  'inline',
  '__inline',
  '__inline__',
  '__forceinline',
  'register',
  'auto',
  '_Noreturn',
  'noreturn',
  '_Thread_local',
  'thread_local',
  '__thread',
  'constexpr',
  '__extension__',
]);
const QUALIFIERS = new Set([
  'const',
  'volatile',
  'restrict',
  '_Atomic',
  '__const',
  '__const__',
  '__volatile',
  '__volatile__',
  '__restrict',
  '__restrict__',
  '_Restrict_',
  '__restrict_arr',
  '_Nonnull',
  '_Nullable',
]);
const CONVENTIONS = new Set([
  '__cdecl',
  '_cdecl',
  '__stdcall',
  '_stdcall',
  '__fastcall',
  '__vectorcall',
  'WINAPI',
  'WINAPIV',
  'APIENTRY',
  'CALLBACK',
  'STDCALL',
  'PASCAL',
  'NTAPI',
  'WSAAPI',
  '__ptr64',
  '__unaligned',
  'far',
  'FAR',
  'near',
  'NEAR',
]);
/** Keywords that no declaration here may have. */
const REFUSED = new Map([
  ['_Complex', 'complex numbers have no counterpart'],
  ['__complex__', 'complex numbers have no counterpart'],
  ['__int128', '128-bit integers have no counterpart'],
  ['_Float16', 'it has no counterpart'],
  ['_BitInt', 'it has no counterpart'],
  ['template', 'this is C++: declare it `extern "C"`'],
  ['class', 'this is C++: declare it `extern "C"`'],
  ['namespace', 'this is C++: declare it `extern "C"`'],
  ['using', 'this is C++: use typedef'],
]);
/** Words that take a type in parentheses. */
const TYPE_OF = new Set(['typeof', '__typeof__', '__typeof', 'typeof_unqual', '_Atomic']);
/** The types among the refused words: a text may have them, but no value of them can be passed. */
const UNSUPPORTED = new Set(['_Complex', '__complex__', '__int128', '_Float16', '_BitInt']);

module.exports = {
  KNOWN,
  OPAQUE,
  HIDDEN,
  ARITHMETIC,
  ARITHMETICS,
  SPELLINGS,
  STORAGE,
  QUALIFIERS,
  CONVENTIONS,
  REFUSED,
  TYPE_OF,
  UNSUPPORTED,
};
