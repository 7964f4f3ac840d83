'use strict';
// The options of isolation: `isolate: true`, an object, or a group.

const { resolve } = require('node:path');
const { makeError, wrongType, wrongValue, outOfRange } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { DEFAULTS } = require('./defaults.js');

const KEYS = {
  timeout: 'number',
  restart: 'string',
  share: 'string',
  sandbox: 'any',
  stderr: 'string',
  env: 'any',
  cwd: 'string',
  command: 'any',
  spin: 'boolean',
  malloc: 'string',
};

/** The longest timeout, in milliseconds: a day. */
const LONGEST = 86_400_000;
/** The timeout of calls of an untrusted library, in milliseconds. */
const APART_TIMEOUT = 10_000;

function oneOf(value, known, where) {
  if (!known.includes(value)) throw wrongValue(where, known.map((name) => `'${name}'`).join(' or '), value);
  return value;
}

/** A timeout in milliseconds, checked. */
function timeoutOf(value, where) {
  if (typeof value !== 'number') throw wrongType(where, 'a number of milliseconds', value);
  if (!Number.isInteger(value) || value < 1 || value > LONGEST) {
    throw outOfRange(where, `an integer from 1 to ${LONGEST} milliseconds`, value);
  }
  return value;
}

function textOf(value, where) {
  if (typeof value !== 'string') throw wrongType(where, 'a string', value);
  if (value.includes('\0')) throw wrongValue(where, 'a string without NUL characters', value);
  return value;
}

/** `NAME=value` for each variable of an object. */
function environmentOf(env, where) {
  if (env === undefined) return undefined;
  if (typeof env !== 'object' || env === null || Array.isArray(env))
    throw wrongType(where, 'an object of strings', env);
  return Object.keys(env).flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [`${textOf(name, where)}=${textOf(String(value), `${where}.${name}`)}`];
  });
}

function commandOf(command, where) {
  if (command === undefined) return [];
  if (!Array.isArray(command) || command.length === 0) throw wrongType(where, 'an array of words', command);
  return command.map((word, i) => textOf(word, `${where}[${i}]`));
}

const SANDBOX_KEYS = {
  read: 'any',
  write: 'any',
  net: 'boolean',
  exec: 'boolean',
  memory: 'any',
  cpu: 'number',
  require: 'any',
};
const PARTS = ['privileges', 'files', 'network', 'exec', 'syscalls', 'signals', 'memory', 'cpu'];
const UNITS = { __proto__: null, '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function listOf(value = [], where) {
  if (!Array.isArray(value)) throw wrongType(where, 'an array of strings', value);
  return value.map((item, i) => textOf(item, `${where}[${i}]`));
}

/** A number of bytes: a number, or text such as '512M'. */
function bytesOf(value, where) {
  const match = typeof value === 'string' ? /^(\d{1,12})([KMG]?)$/.exec(value) : null;
  const bytes = match === null ? value : Number(match[1]) * UNITS[match[2]];
  if (!Number.isSafeInteger(bytes) || bytes < 2 ** 20) {
    throw outOfRange(where, "a number of bytes of at least 1048576, or a text such as '512M'", value);
  }
  return bytes;
}

/** A sandbox as the host reads it: fields, each with a NUL behind it (src/host/sandbox/text.rs). */
function sandboxText(value, where) {
  const options = parseOptions(value === true ? {} : value, SANDBOX_KEYS, where);
  const { cpu, memory } = options;
  if (cpu !== undefined && !(Number.isInteger(cpu) && cpu > 0 && cpu < 2 ** 31)) {
    throw outOfRange(`${where}.cpu`, 'a number of seconds of at least 1', cpu);
  }
  const fields = [
    ...listOf(options.read, `${where}.read`).map((path) => `read=${resolve(path)}`),
    ...listOf(options.write, `${where}.write`).map((path) => `write=${resolve(path)}`),
    ...(options.net ? ['net'] : []),
    ...(options.exec ? ['exec'] : []),
    ...(memory === undefined ? [] : [`memory=${bytesOf(memory, `${where}.memory`)}`]),
    ...(cpu === undefined ? [] : [`cpu=${cpu}`]),
    ...listOf(options.require, `${where}.require`).map((part) => `require=${oneOf(part, PARTS, `${where}.require`)}`),
  ];
  // A sandbox that allows nothing differs from no sandbox.
  return ['', ...fields].map((field) => `${field}\0`).join('');
}

/**
 * The options that a process is started with.
 * @param {true | object} value
 */
function parseIsolation(value, where) {
  if (value === true) return DEFAULTS;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(where, 'true, an object of options or a group()', value);
  }
  const options = parseOptions(value, KEYS, where);
  const { timeout, restart = 'manual', share = 'all', sandbox, stderr = 'inherit', cwd } = options;
  const command = commandOf(options.command, `${where}.command`);
  // A tool such as valgrind runs one thread at a time, and checks the blocks of malloc.
  const isTool = command.length > 0;
  const { spin = !isTool, malloc = isTool ? 'own' : 'shared' } = options;
  const isApart = oneOf(share, ['all', 'own'], `${where}.share`) === 'own';
  if (sandbox !== undefined && !isApart) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where}.sandbox needs share: 'own': a library that shares all Buffers could read the secrets of the process`,
    );
  }
  return {
    environment: environmentOf(options.env, `${where}.env`),
    folder: cwd === undefined ? undefined : textOf(cwd, `${where}.cwd`),
    command,
    inheritsStderr: oneOf(stderr, ['inherit', 'ignore'], `${where}.stderr`) === 'inherit',
    restarts: oneOf(restart, ['manual', 'lazy'], `${where}.restart`) === 'lazy',
    spins: spin,
    keepsMalloc: oneOf(malloc, ['shared', 'own'], `${where}.malloc`) === 'own',
    isApart,
    timeout: timeout === undefined ? (isApart ? APART_TIMEOUT : undefined) : timeoutOf(timeout, `${where}.timeout`),
    sandbox: sandbox === undefined ? '' : sandboxText(sandbox, `${where}.sandbox`),
  };
}

module.exports = { parseIsolation, timeoutOf };
