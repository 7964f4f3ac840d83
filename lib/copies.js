'use strict';
// npm installs a package twice where versions or folders cannot share one. Copies of the same build act as one: in a realm
// the first that was loaded serves the others, and in the process the addon that was loaded first serves all threads. So
// there is one memory room (one stand-in, one registry of blocks, one quarantine), and a class is the same for everybody.

const { addonPath, load } = require('./addon');

const file = addonPath();
const own = load(file);
const build = own.buildName();
const key = Symbol.for(`pinned-ffi ${build}`);

/** The addon that the process loaded first; where its file has gone, our own. */
function firstAddon() {
  const first = own.copies().find((copy) => copy.build === build);
  if (first === undefined || first.file === file) return own;
  try {
    return load(first.file);
  } catch {
    return own;
  }
}

function serve() {
  const shared = { addon: firstAddon(), entries: undefined };
  Object.defineProperty(globalThis, key, { value: shared });
  return shared;
}

/** What the copies share: the native functions, and what the entries of the package export. */
module.exports = globalThis[key] ?? serve();
