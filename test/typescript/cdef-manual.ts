// Programs that compile: prototypes as manual pages have them, without a change.

import { dlopen } from 'pinned-ffi';
import type { FunctionPointerLike, Handle, PlainTarget, Pointer, PointerLike } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

type Target<T> = PointerLike<T> | PlainTarget<T>;

const { symbols: c } = dlopen(
  'c',
  `
       void qsort(void base[.size * .n], size_t n, size_t size,
                  int (*compar)(const void [.size], const void [.size]));

       ssize_t getline(char **restrict lineptr, size_t *restrict n,
                       FILE *restrict stream);

       size_t strftime(char s[restrict .max], size_t max,
                       const char *restrict format,
                       const struct tm *restrict tm);

       struct dirent *readdir(DIR *dirp);

       int poll(struct pollfd *fds, nfds_t nfds, int timeout);

       int getaddrinfo(const char *restrict node,
                       const char *restrict service,
                       const struct addrinfo *restrict hints,
                       struct addrinfo **restrict res);

       int regcomp(regex_t *restrict preg, const char *restrict regex,
                   int cflags);

       int dl_iterate_phdr(
                 int (*callback)(struct dl_phdr_info *info,
                                 size_t size, void *data),
                 void *data);

       int nftw(const char *dirpath,
                 int (*fn)(const char *fpath, const struct stat *sb,
                           int typeflag, struct FTW *ftwbuf),
                 int nopenfd, int flags);

       int asprintf(char **restrict strp, const char *restrict fmt, ...);

       typedef struct {
           regoff_t rm_so;
           regoff_t rm_eo;
       } regmatch_t;

       int regexec(const regex_t *restrict preg, const char *restrict string,
                   size_t nmatch, regmatch_t pmatch[_Nullable restrict .nmatch],
                   int eflags);

       [[noreturn]] void exit(int status);

       int openat(int dirfd, const char *pathname, int flags, ...
                  /* mode_t mode */ );

       int pipe(int pipefd[2]);

       typedef void (*sighandler_t)(int);

       sighandler_t signal(int signum, sighandler_t handler);

       void (*sigset(int sig, void (*disp)(int)))(int);
`,
);

type Integer = number | bigint;
type Address = Pointer | bigint | null;

expect<
  Equal<
    Parameters<typeof c.qsort>,
    [
      arg0: PointerLike,
      arg1: Integer,
      arg2: Integer,
      arg3: ((arg0: Address, arg1: Address) => Integer | Promise<Integer>) | FunctionPointerLike,
    ]
  >
>();
expect<Equal<ReturnType<typeof c.qsort>, void>>();
expect<
  Equal<Parameters<typeof c.getline>, [arg0: Target<'ptr'>, arg1: Target<'size_t'>, arg2: Handle<'FILE'> | null]>
>();
expect<Equal<ReturnType<typeof c.getline>, bigint>>();
expect<
  Equal<
    Parameters<typeof c.strftime>,
    [arg0: PointerLike, arg1: Integer, arg2: PointerLike | string, arg3: PointerLike]
  >
>();
expect<Equal<ReturnType<typeof c.strftime>, bigint>>();
expect<Equal<Parameters<typeof c.readdir>, [arg0: Handle<'DIR'> | null]>>();
expect<Equal<ReturnType<typeof c.readdir>, Address>>();
expect<Equal<Parameters<typeof c.poll>, [arg0: PointerLike, arg1: Integer, arg2: Integer]>>();
expect<Equal<ReturnType<typeof c.poll>, number>>();
expect<
  Equal<
    Parameters<typeof c.getaddrinfo>,
    [arg0: PointerLike | string, arg1: PointerLike | string, arg2: PointerLike, arg3: Target<'ptr'>]
  >
>();
expect<Equal<Parameters<typeof c.regcomp>, [arg0: PointerLike, arg1: PointerLike | string, arg2: Integer]>>();
expect<
  Equal<
    Parameters<typeof c.dl_iterate_phdr>,
    [
      arg0: ((arg0: Address, arg1: bigint, arg2: Address) => Integer | Promise<Integer>) | FunctionPointerLike,
      arg1: PointerLike,
    ]
  >
>();
expect<
  Equal<
    Parameters<typeof c.nftw>,
    [
      arg0: PointerLike | string,
      arg1:
        | ((arg0: string | null, arg1: Address, arg2: number, arg3: Address) => Integer | Promise<Integer>)
        | FunctionPointerLike,
      arg2: Integer,
      arg3: Integer,
    ]
  >
>();
c.nftw('/', (path, stat, flag) => (path === null || stat === null ? flag : 0), 20, 0).toFixed();
c.asprintf(Buffer.alloc(8), '%d %s', ['i32', 5], ['cstring', 'x']).toFixed();
expect<Equal<Parameters<typeof c.exit>, [arg0: Integer]>>();
c.openat(-100, '/tmp', 0, ['u32', 0o600]).toFixed();
expect<Equal<Parameters<typeof c.pipe>, [arg0: Target<'int'>]>>();
c.signal(2, (number) => {
  expect<Equal<typeof number, number>>();
})?.(2);
c.sigset(2, null)?.(2);
