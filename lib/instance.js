'use strict';
// Loads the exports of the instance of the package that serves this realm.

const { refuseOld } = require('./native/runtime.js');

// Before anything fails that says less.
refuseOld();
const realm = require('./native/realm.js');

function makeEntries() {
  const { lazy, begin } = require('./lazy.js');
  const main = lazy(() => require('./index.js'));
  const bun = lazy(() => require('./bun/index.js'));
  // Only the entry for bun redirects `bun:ffi` to the package.
  const hook = () => require('./bun/resolve-hook.js').install();
  const entry = (load) => () => {
    const exported = load();
    begin();
    return exported;
  };
  return { main: entry(main), bun: entry(() => { hook(); return bun(); }) };
}

realm.entries ??= makeEntries();

module.exports = realm.entries;
