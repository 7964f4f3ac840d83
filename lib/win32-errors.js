'use strict';
// The names that Node gives to the error codes of Windows, for the codes that a system call of C is likely to end with.

/** Codes of GetLastError() and of sockets, by the name that libuv gives them. */
const CODES = {
  EACCES: [998, 10013],
  EADDRINUSE: [10048],
  EADDRNOTAVAIL: [10049],
  EAGAIN: [232, 10035],
  EALREADY: [10037],
  EBADF: [6],
  EBUSY: [32, 33, 142],
  ECANCELED: [995, 10004],
  ECONNABORTED: [1236, 10053],
  ECONNREFUSED: [1225, 10061],
  ECONNRESET: [64, 10054],
  EEXIST: [80, 183],
  EFAULT: [10014],
  EHOSTUNREACH: [1232, 10065],
  EINVAL: [87, 122, 1464, 10022],
  EIO: [1117, 1129, 1165, 31],
  EISCONN: [10056],
  ELOOP: [1921],
  EMFILE: [4, 10024],
  EMSGSIZE: [10040],
  ENAMETOOLONG: [206, 111],
  ENETUNREACH: [1231, 10051],
  ENOENT: [2, 3, 15, 123, 126, 161, 267, 1168],
  ENOMEM: [8, 14],
  ENOSPC: [39, 112],
  ENOTCONN: [2250, 10057],
  ENOTEMPTY: [145],
  ENOTSOCK: [10038],
  ENOTSUP: [50],
  EOF: [38, 109],
  EPERM: [5, 1314],
  EPIPE: [230, 233],
  EROFS: [19],
  ETIMEDOUT: [121, 258, 1460, 10060],
  EXDEV: [17],
};

const names = new Map(Object.entries(CODES).flatMap(([name, codes]) => codes.map((code) => [code, name])));

/** The name of a code of Windows; undefined for one that has none here. */
const nameOfCode = (code) => names.get(code);

module.exports = { nameOfCode };
