'use strict';
// What the entries of the package export: those of the instance that serves this realm.

const { refuseOld } = require('./native/runtime');

// Before anything fails that says less.
refuseOld();
const copies = require('./native/realm');

function makeEntries() {
  const { late, begin } = require('./lazy');
  const main = late(() => require('./index'));
  const bun = late(() => require('./bun/index'));
  // Only the entry for bun redirects `bun:ffi` to the package.
  const hook = () => require('./bun/resolve-hook').install();
  const entry = (load) => () => {
    const exported = load();
    begin();
    return exported;
  };
  return { main: entry(main), bun: entry(() => { hook(); return bun(); }) };
}

copies.entries ??= makeEntries();

module.exports = copies.entries;
