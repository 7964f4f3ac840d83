'use strict';
// What the entries of the package export: those of the instance that serves this realm.

const { refuseOld } = require('./engine');

// Before anything fails that says less.
refuseOld();
const copies = require('./copies');

function makeEntries() {
  const { late, begin } = require('./late');
  const main = late(() => require('./main'));
  const bun = late(() => require('./bun/main'));
  // Only the entry for bun redirects `bun:ffi` to the package.
  const hook = () => require('./bun/hook').install();
  const entry = (load) => () => {
    const exported = load();
    begin();
    return exported;
  };
  return { main: entry(main), bun: entry(() => { hook(); return bun(); }) };
}

copies.entries ??= makeEntries();

module.exports = copies.entries;
