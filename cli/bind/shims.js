'use strict';
// Functions that only the header has: inline functions, and macros with parameters. A C file of one small function for
// each, which the module compiles by cc() when it is loaded.

/** @returns {{ functions: object[], source: string }} */
function findShims({ model }, leftOut) {
  for (const { name } of model.inline)
    leftOut.add('functions that exist in the header only (static, inline): --inline', name);
  return { functions: [] };
}

module.exports = { findShims };
