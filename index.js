'use strict';

module.exports = require('./lib/instance.js').main();
