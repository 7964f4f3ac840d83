'use strict';
// The entries of the instance of the package that serves this realm.

const { refuseOld } = require('./native/runtime.js');

// Before anything fails that says less.
refuseOld();
const realm = require('./native/realm.js');

function makeEntries() {
  const { lazy, begin } = require('./lazy.js');
  const main = lazy(() => require('./index.js'));
  const bun = lazy(() => require('./bun/index.js'));
  const koffi = lazy(() => require('./koffi/index.js'));
  const nodeFfi = lazy(() => require('./node-ffi/index.js'));
  // Only the entries of the dialects redirect `bun:ffi`, `koffi` and `node:ffi` to the package.
  const hook = (name, entry) => require('./native/resolve-hook.js').install(name, entry);
  const entry = (load) => () => {
    const exported = load();
    begin();
    return exported;
  };
  return {
    main: entry(main),
    bun: entry(() => {
      hook('bun:ffi', 'bun');
      const exported = bun();
      require('./native/as-bun.js').claimBun();
      return exported;
    }),
    koffi: entry(() => {
      hook('koffi', 'koffi');
      return koffi();
    }),
    nodeFfi: entry(() => {
      hook('node:ffi', 'node-ffi');
      return nodeFfi();
    }),
  };
}

realm.entries ??= makeEntries();

module.exports = realm.entries;
