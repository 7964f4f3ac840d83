'use strict';
// Errors of the main entry in programs for koffi: they must not name options of the main entry, which koffi's declarations lack.

const HINT = /(?:; declare `optional: true` to get null instead|(?:;|, or) declare `(?:wrap|loose): true`[^;]*)$/;

/** The same error without what it says of the main entry's options. */
function withoutOptions(error) {
  if (typeof error !== 'object' || error === null || typeof error.message !== 'string') return error;
  if (typeof error.code !== 'string' || !HINT.test(error.message)) return error;
  const message = error.message.replace(HINT, '');
  const { stack } = error;
  if (typeof stack === 'string') error.stack = stack.replace(error.message, () => message);
  error.message = message;
  return error;
}

/** Runs work of the main entry; its errors are those of this dialect. */
function inKoffi(work) {
  try {
    return work();
  } catch (error) {
    throw withoutOptions(error);
  }
}

module.exports = { withoutOptions, inKoffi };
