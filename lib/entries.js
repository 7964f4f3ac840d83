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
  // Only the entries of the dialects redirect `bun:ffi` and `koffi` to the package.
  const hook = (...names) => require('./bun/hook').install(...names);
  const koffi = late(() => require('./koffi/main'));
  const entry = (load) => () => {
    const exported = load();
    begin();
    return exported;
  };
  return { main: entry(main), bun: entry(() => { hook('bun:ffi', 'bun'); return bun(); }), koffi: entry(() => { hook('koffi', 'koffi'); return koffi(); }) };
}

copies.entries ??= makeEntries();

module.exports = copies.entries;
