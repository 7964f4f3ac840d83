'use strict';
// The place of this code: in the package or in a bundle. A bundle in the form of an ES module has no __dirname.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

/** The file that has this code, as the engine knows it. */
function fileByStack() {
  const holder = {};
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (_, [frame]) => frame?.getFileName();
  try {
    Error.captureStackTrace(holder);
    const file = holder.stack;
    return file?.startsWith('file:') ? fileURLToPath(file) : (file ?? process.argv[1] ?? process.execPath);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/** The folder of lib/, or that of the bundle. */
const folder = typeof __dirname === 'undefined' ? path.dirname(fileByStack()) : __dirname;

/** Whether this runs in a bundle: the files of the package are not next to it. */
const isBundled = () => !fs.existsSync(path.join(folder, 'native', 'addon.js'));

module.exports = { folder, isBundled };
