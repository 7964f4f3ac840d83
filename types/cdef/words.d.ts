// The words of C: what stands before a declarator, the arithmetic types, the type names that need no declaration.
// lib/cdef/names.js is its twin at run time.

import type { Hidden, Tag, To } from './marks.js';

// prettier-ignore
/** Words that change nothing here: storage classes, qualifiers, calling conventions, and the text of `extern "C"`. */
export type Skipped =
  | '' | '"C"' | '"C++"' | 'extern' | 'static' | 'inline' | '__inline' | '__inline__' | '__forceinline' | 'register' | 'auto' | '_Noreturn'
  | 'noreturn' | '_Thread_local' | 'thread_local' | '__thread' | 'constexpr' | '__extension__' | 'typedef' | PlainQualifier;

/** Those that stand behind a star, too. */
export type Qualifier = '_Atomic' | PlainQualifier;

// prettier-ignore
/** Qualifiers that no bracket follows. */
type PlainQualifier =
  | '' | 'const' | 'volatile' | 'restrict' | '__const' | '__const__' | '__volatile' | '__volatile__' | '__restrict'
  | '__restrict__' | '_Restrict_' | '__restrict_arr' | '_Nonnull' | '_Nullable' | Convention;

// prettier-ignore
export type Convention =
  | '__cdecl' | '_cdecl' | '__stdcall' | '_stdcall' | '__fastcall' | '__vectorcall' | 'WINAPI' | 'WINAPIV' | 'APIENTRY'
  | 'CALLBACK' | 'STDCALL' | 'PASCAL' | 'NTAPI' | 'WSAAPI' | '__ptr64' | '__unaligned' | 'far' | 'FAR' | 'near' | 'NEAR';

// prettier-ignore
/** Words with brackets behind them that change nothing in TypeScript: layouts are a matter of the run time. */
export type Attribute =
  | '__attribute__' | '__attribute' | '_Alignas' | 'alignas' | '__declspec' | 'asm' | '__asm__' | '__asm' | '_Pragma';

export type Arithmetic =
  'void' | 'char' | 'short' | 'int' | 'long' | 'float' | 'double' | 'signed' | 'unsigned' | '_Bool' | 'bool' | Spelling;
export type Spelling = keyof Spellings;

/** Words that are other spellings. */
export interface Spellings {
  __signed: 'signed';
  __signed__: 'signed';
  __int8: 'char';
  __int16: 'short';
  __int32: 'int';
}

// prettier-ignore
/** The type of some words, and one more word -> the type of all of them. */
export interface Arithmetics {
  ' void': 'void'; ' char': 'char'; ' short': 'short'; ' int': 'int'; ' long': 'long'; ' float': 'float';
  ' double': 'double'; ' _Bool': 'bool'; ' bool': 'bool'; ' signed': 'signed'; ' unsigned': 'unsigned';
  'char signed': 'signed char'; 'char unsigned': 'unsigned char'; 'signed char': 'signed char';
  'unsigned char': 'unsigned char'; 'signed int': 'int'; 'signed short': 'short'; 'signed long': 'long';
  'int short': 'short'; 'int long': 'long';
  'short int': 'short'; 'long int': 'long'; 'long long': 'long long'; 'long long int': 'long long';
  'int signed': 'int'; 'int unsigned': 'unsigned int'; 'short signed': 'short'; 'short unsigned': 'unsigned short';
  'long signed': 'long'; 'long unsigned': 'unsigned long'; 'long long signed': 'long long';
  'long long unsigned': 'unsigned long long'; 'unsigned int': 'unsigned int'; 'unsigned short': 'unsigned short';
  'unsigned long': 'unsigned long';
  'unsigned int short': 'unsigned short'; 'unsigned int long': 'unsigned long';
  'unsigned short int': 'unsigned short'; 'unsigned long int': 'unsigned long';
  'unsigned long long': 'unsigned long long'; 'unsigned long long int': 'unsigned long long';
}

/** What a sign alone means. In `Arithmetics` it stays, so that `int char` is told from `signed char`. */
export interface Signs {
  signed: 'int';
  unsigned: 'unsigned int';
}

/** Marks -> what they mean. Others of their form mean nothing. */
export interface Marks {
  _Out_: 'out';
  _Inout_: 'inout';
  _Text_: 'text';
}
export type OtherMark =
  `${'_' | '__'}${'In' | 'Out' | 'Ret' | 'Deref' | 'Pre' | 'Post' | 'Reserved' | 'Success' | 'Must' | 'Check' | 'Printf' | 'Null' | 'At' | 'When' | 'COM'}${string}_`;

/** Words of types that have no counterpart. */
export interface Refused {
  _Complex: 'complex numbers have no counterpart';
  __complex__: 'complex numbers have no counterpart';
  __int128: '128-bit integers have no counterpart';
  _Float16: 'it has no counterpart';
  _BitInt: 'it has no counterpart';
  template: 'this is C++: declare it `extern "C"`';
  class: 'this is C++: declare it `extern "C"`';
  namespace: 'this is C++: declare it `extern "C"`';
  using: 'this is C++: use typedef';
}

// prettier-ignore
/** Those of types: the others may be names behind a type. */
export type Unsupported = '_Complex' | '__complex__' | '__int128' | '_Float16' | '_BitInt';

/** Words that take a type in brackets. */
export type TypeOf = 'typeof' | '__typeof__' | '__typeof' | 'typeof_unqual' | '_Atomic';

/** Names of the package's type table that are none in C -> what is meant. */
export interface Meant {
  i8: 'int8_t';
  u8: 'uint8_t';
  i16: 'int16_t';
  u16: 'uint16_t';
  i32: 'int32_t';
  u32: 'uint32_t';
  i64: 'int64_t';
  u64: 'uint64_t';
  f32: 'float';
  f64: 'double';
  usize: 'size_t';
  isize: 'ssize_t';
  ptr: 'void *';
  pointer: 'void *';
  cstring: 'const char *';
  string: 'const char *';
  buffer: 'void *';
  function: 'void (*)(void)';
  boolean: 'bool';
  utf16: 'const char16_t *';
  wstring: 'const wchar_t *';
  int8: 'int8_t';
  uint8: 'uint8_t';
  int16: 'int16_t';
  uint16: 'uint16_t';
  int32: 'int32_t';
  uint32: 'uint32_t';
  int64: 'int64_t';
  uint64: 'uint64_t';
  uchar: 'unsigned char';
}

/** The scope of a text that stands alone. */
export interface Outermost {
  FILE: Hidden<'FILE'>;
  DIR: Hidden<'DIR'>;
}

// prettier-ignore
/**
 * The types of the C library, of POSIX and of Windows. Those that are numbers on some platforms and bigints on others
 * have a type here that is either.
 */
export interface Known {
  int8_t: 'int8_t'; int_least8_t: 'int8_t'; int_fast8_t: 'int8_t'; INT8: 'int8_t'; int16_t: 'int16_t';
  int_least16_t: 'int16_t'; SHORT: 'int16_t'; INT16: 'int16_t'; int32_t: 'int32_t'; int_least32_t: 'int32_t';
  INT: 'int32_t'; INT32: 'int32_t'; LONG: 'int32_t'; LONG32: 'int32_t'; BOOL: 'int32_t'; HRESULT: 'int32_t';
  NTSTATUS: 'int32_t'; HFILE: 'int32_t'; int64_t: 'int64_t'; int_least64_t: 'int64_t'; int_fast64_t: 'int64_t';
  intmax_t: 'int64_t'; off_t: 'int64_t'; off64_t: 'int64_t'; loff_t: 'int64_t'; quad_t: 'int64_t';
  blkcnt_t: 'int64_t'; LONGLONG: 'int64_t'; LONG64: 'int64_t'; INT64: 'int64_t'; __int64: 'int64_t';
  uint8_t: 'uint8_t'; uint_least8_t: 'uint8_t'; uint_fast8_t: 'uint8_t'; char8_t: 'uint8_t'; u_int8_t: 'uint8_t';
  BYTE: 'uint8_t'; UCHAR: 'uint8_t'; BOOLEAN: 'uint8_t'; UINT8: 'uint8_t'; uint16_t: 'uint16_t';
  uint_least16_t: 'uint16_t'; in_port_t: 'uint16_t'; u_short: 'uint16_t'; ushort: 'uint16_t'; u_int16_t: 'uint16_t';
  WORD: 'uint16_t'; USHORT: 'uint16_t'; UINT16: 'uint16_t'; ATOM: 'uint16_t'; WCHAR: 'uint16_t'; LANGID: 'uint16_t';
  uint32_t: 'uint32_t'; uint_least32_t: 'uint32_t'; u_int32_t: 'uint32_t'; UINT: 'uint32_t'; UINT32: 'uint32_t';
  ULONG: 'uint32_t'; ULONG32: 'uint32_t'; DWORD: 'uint32_t'; DWORD32: 'uint32_t'; COLORREF: 'uint32_t';
  LCID: 'uint32_t'; ACCESS_MASK: 'uint32_t'; uint64_t: 'uint64_t'; uint_least64_t: 'uint64_t';
  uint_fast64_t: 'uint64_t'; uintmax_t: 'uint64_t'; ino_t: 'uint64_t'; ino64_t: 'uint64_t'; rlim_t: 'uint64_t';
  u_int64_t: 'uint64_t'; ULONGLONG: 'uint64_t'; ULONG64: 'uint64_t'; DWORD64: 'uint64_t'; DWORDLONG: 'uint64_t';
  UINT64: 'uint64_t'; size_t: 'size_t'; ssize_t: 'ssize_t'; intptr_t: 'intptr_t'; INT_PTR: 'intptr_t';
  LONG_PTR: 'intptr_t'; SSIZE_T: 'intptr_t'; LPARAM: 'intptr_t'; LRESULT: 'intptr_t'; uintptr_t: 'uintptr_t';
  UINT_PTR: 'uintptr_t'; ULONG_PTR: 'uintptr_t'; DWORD_PTR: 'uintptr_t'; SIZE_T: 'uintptr_t'; WPARAM: 'uintptr_t';
  ptrdiff_t: 'ptrdiff_t'; wchar_t: 'wchar_t'; char16_t: 'char16_t'; char32_t: 'char32_t';
  int_fast32_t: 'i64_fast'; uint_fast32_t: 'u64_fast';
  int_fast16_t: 'i64_fast'; uint_fast16_t: 'u64_fast';
  i64_number: 'i64_number'; u64_number: 'u64_number';
  wint_t: 'unsigned int'; sig_atomic_t: 'int'; pid_t: 'int'; clockid_t: 'int'; key_t: 'int'; errno_t: 'int';
  regoff_t: 'int'; nl_item: 'int'; uid_t: 'unsigned int'; gid_t: 'unsigned int'; id_t: 'unsigned int';
  useconds_t: 'unsigned int'; socklen_t: 'unsigned int'; u_int: 'unsigned int'; uint: 'unsigned int';
  in_addr_t: 'unsigned int'; tcflag_t: 'unsigned int'; speed_t: 'unsigned int'; pthread_key_t: 'unsigned int';
  mode_t: 'unsigned int'; u_char: 'unsigned char'; cc_t: 'unsigned char'; sa_family_t: 'uint16_t';
  u_long: 'unsigned long'; ulong: 'unsigned long'; pthread_t: 'unsigned long'; clock_t: 'long'; time_t: 'long';
  suseconds_t: 'i64_fast'; dev_t: 'u64_fast'; blksize_t: 'i64_fast';
  nlink_t: 'u64_fast'; nfds_t: 'u64_fast'; wctype_t: 'u64_fast'; error_t: 'int'; mqd_t: 'int'; pthread_spinlock_t: 'int';
  idtype_t: 'unsigned int'; VISIT: 'unsigned int'; ACTION: 'unsigned int'; Lmid_t: 'long'; register_t: 'long';
  float_t: 'float'; double_t: 'double'; caddr_t: To<'void'>; sighandler_t: 'function'; sig_t: 'function';
  __sighandler_t: 'function';
  fsblkcnt_t: 'u64_fast'; fsfilcnt_t: 'u64_fast'; locale_t: To<'void'>;
  iconv_t: To<'void'>; nl_catd: To<'void'>; timer_t: To<'void'>; HANDLE: To<'void'>; HWND: To<'void'>;
  HINSTANCE: To<'void'>; HMODULE: To<'void'>; HDC: To<'void'>; HGDIOBJ: To<'void'>; HBITMAP: To<'void'>;
  HBRUSH: To<'void'>; HFONT: To<'void'>; HICON: To<'void'>; HCURSOR: To<'void'>; HMENU: To<'void'>; HKEY: To<'void'>;
  HGLOBAL: To<'void'>; HLOCAL: To<'void'>; HRSRC: To<'void'>; SC_HANDLE: To<'void'>; PVOID: To<'void'>;
  LPVOID: To<'void'>; LPCVOID: To<'void'>; PSECURITY_ATTRIBUTES: To<'void'>; LPSECURITY_ATTRIBUTES: To<'void'>;
  LPOVERLAPPED: To<'void'>; LPSTR: To<'void'>; PSTR: To<'void'>; PCHAR: To<'void'>; LPWSTR: To<'void'>;
  PWSTR: To<'void'>; PWCHAR: To<'void'>; PBYTE: To<'void'>; LPBYTE: To<'void'>; PUCHAR: To<'void'>; CHAR: 'char';
  CCHAR: 'char'; FLOAT: 'float'; DOUBLE: 'double'; VOID: 'void'; FARPROC: 'function'; PROC: 'function';
  LPCSTR: To<'const char'>; PCSTR: To<'const char'>; LPCWSTR: To<'const char16_t'>; PCWSTR: To<'const char16_t'>;
  LPBOOL: To<'int32_t'>; PBOOL: To<'int32_t'>; LPINT: To<'int32_t'>; PINT: To<'int32_t'>; LPLONG: To<'int32_t'>;
  PLONG: To<'int32_t'>; LPDWORD: To<'uint32_t'>; PDWORD: To<'uint32_t'>; LPUINT: To<'uint32_t'>;
  PUINT: To<'uint32_t'>; LPULONG: To<'uint32_t'>; PULONG: To<'uint32_t'>; LPWORD: To<'uint16_t'>;
  PWORD: To<'uint16_t'>;
  __ssize_t: 'ssize_t'; __off_t: 'int64_t'; __off64_t: 'int64_t'; __pid_t: 'int'; __uid_t: 'unsigned int';
  __gid_t: 'unsigned int'; __mode_t: 'unsigned int'; __time_t: 'long'; __clock_t: 'long'; __clockid_t: 'int';
  __dev_t: 'u64_fast'; __ino_t: 'uint64_t'; __nlink_t: 'u64_fast'; __socklen_t: 'unsigned int';
  __useconds_t: 'unsigned int'; __suseconds_t: 'i64_fast'; __id_t: 'unsigned int'; __key_t: 'int';
  __blksize_t: 'i64_fast'; __blkcnt_t: 'int64_t'; __int8_t: 'int8_t'; __uint8_t: 'uint8_t'; __int16_t: 'int16_t';
  __uint16_t: 'uint16_t'; __int32_t: 'int32_t'; __uint32_t: 'uint32_t'; __int64_t: 'int64_t'; __uint64_t: 'uint64_t';
  // Types whose size no text says.
  regex_t: Tag<'regex_t'>; fpos_t: Tag<'fpos_t'>; mbstate_t: Tag<'mbstate_t'>; va_list: Tag<'va_list'>;
  jmp_buf: Tag<'jmp_buf'>; sigset_t: Tag<'sigset_t'>; fd_set: Tag<'fd_set'>; glob_t: Tag<'glob_t'>;
  wordexp_t: Tag<'wordexp_t'>; pthread_attr_t: Tag<'pthread_attr_t'>; pthread_mutex_t: Tag<'pthread_mutex_t'>;
  pthread_mutexattr_t: Tag<'pthread_mutexattr_t'>; pthread_cond_t: Tag<'pthread_cond_t'>;
  pthread_condattr_t: Tag<'pthread_condattr_t'>; pthread_rwlock_t: Tag<'pthread_rwlock_t'>;
  pthread_once_t: Tag<'pthread_once_t'>; sem_t: Tag<'sem_t'>; siginfo_t: Tag<'siginfo_t'>; stack_t: Tag<'stack_t'>;
  ucontext_t: Tag<'ucontext_t'>; cpu_set_t: Tag<'cpu_set_t'>;
  pthread_barrier_t: Tag<'pthread_barrier_t'>; pthread_barrierattr_t: Tag<'pthread_barrierattr_t'>;
  pthread_rwlockattr_t: Tag<'pthread_rwlockattr_t'>; regmatch_t: Tag<'regmatch_t'>; fenv_t: Tag<'fenv_t'>;
  fexcept_t: Tag<'fexcept_t'>; sigjmp_buf: Tag<'sigjmp_buf'>; Dl_info: Tag<'Dl_info'>; ENTRY: Tag<'ENTRY'>;
  FTS: Tag<'FTS'>; FTSENT: Tag<'FTSENT'>; div_t: Tag<'div_t'>; ldiv_t: Tag<'ldiv_t'>; lldiv_t: Tag<'lldiv_t'>;
  imaxdiv_t: Tag<'imaxdiv_t'>; mtx_t: Tag<'mtx_t'>; cnd_t: Tag<'cnd_t'>; once_flag: Tag<'once_flag'>;
  posix_spawn_file_actions_t: Tag<'posix_spawn_file_actions_t'>; posix_spawnattr_t: Tag<'posix_spawnattr_t'>;
  DBM: Tag<'DBM'>; SOCKET_ADDRESS: Tag<'SOCKET_ADDRESS'>; __builtin_va_list: Tag<'__builtin_va_list'>;
  __gnuc_va_list: Tag<'__gnuc_va_list'>; _Float64x: Tag<'_Float64x'>; _Float128: Tag<'_Float128'>;
  __float128: Tag<'__float128'>; __int128_t: Tag<'__int128_t'>; __uint128_t: Tag<'__uint128_t'>;
  _Float32: 'float'; _Float64: 'double'; _Float32x: 'double';
}
