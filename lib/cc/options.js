'use strict';
// Options of cc() that are one value or a list of them.

const listOf = (value) => (value === undefined ? [] : Array.isArray(value) ? Array.from(value) : [value]);

/** Flags for the compiler: a string is split at white space, and a list stays as it is. */
const splitFlags = (flags) => (typeof flags === 'string' ? flags.split(/\s+/).filter((flag) => flag !== '') : flags);

module.exports = { listOf, splitFlags };
