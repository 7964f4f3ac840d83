'use strict';
// npm installs a package twice where versions or folders cannot share one. Copies of the same build act as one: in a
// realm the first that was loaded serves the others, and in the process the addon that was loaded first serves all
// threads. So there is one allocator, one block map and one quarantine in the process, and a class is the same for
// every user.

const fs = require('node:fs');
const { addonPath, load } = require('./addon.js');

const file = addonPath();

/** The addon that the process loaded first; where its file has gone, our own. */
function firstAddon(own, build) {
  const first = own.copies().find((copy) => copy.build === build);
  if (first === undefined || first.file === file) return own;
  try {
    return load(first.file);
  } catch {
    return own;
  }
}

/** A property of the realm that only copies of this package know, made by `make` where it is not there. */
function ofRealm(name, make) {
  const key = Symbol.for(`pinned-ffi ${name}`);
  if (globalThis[key] !== undefined) return globalThis[key];
  const value = make();
  // A program may have closed it to new properties.
  Reflect.defineProperty(globalThis, key, { value });
  return value;
}

/** The object that all copies of this build share. */
function sharedByBuild() {
  const own = load(file);
  const build = own.buildName();
  return ofRealm(build, () => ({ addon: firstAddon(own, build), entries: undefined }));
}

/** The state of the addon's file. It is not loaded twice, because each load makes another environment of Node-API. */
function stateOf() {
  const { mtimeMs, size } = fs.statSync(file, { throwIfNoEntry: false }) ?? {};
  return `${file} ${mtimeMs} ${size}`;
}

/** The state that copies share: the native functions and the exports of the entries. */
module.exports = ofRealm(stateOf(), sharedByBuild);
