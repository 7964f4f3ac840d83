'use strict';
// What the entries of the package export: those of the copy that serves this realm.

const copies = require('./copies');

copies.entries ??= { main: () => require('./main'), bun: () => require('./bun/main') };

module.exports = copies.entries;
