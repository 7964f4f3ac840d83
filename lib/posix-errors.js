'use strict';
// Errors of C that libuv has no name for, or had none in Node 20.0, because no call of Node ends with them.

const { errno: NUMBERS } = require('node:os').constants;

const TEXTS = {
  EBADMSG: 'bad message',
  ECHILD: 'no child processes',
  EDEADLK: 'resource deadlock avoided',
  EDOM: 'numerical argument out of domain',
  EDQUOT: 'disk quota exceeded',
  EIDRM: 'identifier removed',
  EINPROGRESS: 'operation now in progress',
  EMULTIHOP: 'multihop attempted',
  ENETRESET: 'network dropped connection on reset',
  ENODATA: 'no data available',
  ENOEXEC: 'exec format error',
  ENOLCK: 'no locks available',
  ENOLINK: 'link has been severed',
  ENOMSG: 'no message of desired type',
  ENOSR: 'out of streams resources',
  ENOSTR: 'device not a stream',
  ESTALE: 'stale file handle',
  ETIME: 'timer expired',
};

/** The name and the text of an errno; undefined for others. */
function describeErrno(errno) {
  const code = Object.keys(TEXTS).find((name) => NUMBERS[name] === errno);
  return code && [code, TEXTS[code]];
}

module.exports = { describeErrno };
