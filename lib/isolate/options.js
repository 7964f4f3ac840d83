'use strict';
// The options of isolation: `isolate: true`, an object, or a group.

const { makeError, wrongType, wrongValue, outOfRange } = require('../errors.js');
const { parseOptions } = require('../validate.js');

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
};

/** The longest timeout, in milliseconds: a day. */
const LONGEST = 86_400_000;
/** What a call may take where the library is not trusted, in milliseconds. */
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

/**
 * What a process is started with.
 * @param {true | object} value
 */
function parseIsolation(value, where) {
  if (value === true) value = {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(where, 'true, an object of options or a group()', value);
  }
  const options = parseOptions(value, KEYS, where);
  const { timeout, restart = 'manual', share = 'all', sandbox, stderr = 'inherit', cwd, spin = true } = options;
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
    command: commandOf(options.command, `${where}.command`),
    inheritsStderr: oneOf(stderr, ['inherit', 'ignore'], `${where}.stderr`) === 'inherit',
    restarts: oneOf(restart, ['manual', 'lazy'], `${where}.restart`) === 'lazy',
    spins: spin,
    isApart,
    timeout: timeout === undefined ? (isApart ? APART_TIMEOUT : undefined) : timeoutOf(timeout, `${where}.timeout`),
    sandbox: '',
  };
}

module.exports = { parseIsolation, timeoutOf };
