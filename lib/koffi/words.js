'use strict';
// Errors of the main entry in programs for koffi: they must not name options of the main entry, which koffi's declarations lack.

const { withoutOption } = require('../errors.js');

/** Runs work of the main entry; its errors are those of this dialect. */
function inKoffi(work) {
  try {
    return work();
  } catch (error) {
    throw withoutOption(error);
  }
}

module.exports = { inKoffi };
