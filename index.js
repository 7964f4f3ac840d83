'use strict';

module.exports = require('./lib/entries').main();
