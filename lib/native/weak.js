'use strict';
// WeakRef and FinalizationRegistry. Where a program has deleted them they are those of a new realm.

const hasBoth = typeof WeakRef === 'function' && typeof FinalizationRegistry === 'function';

/** @type {{ WeakRef: WeakRefConstructor, FinalizationRegistry: FinalizationRegistryConstructor }} */
module.exports = hasBoth
  ? { WeakRef, FinalizationRegistry }
  : require('node:vm').runInNewContext('({ WeakRef, FinalizationRegistry })');
