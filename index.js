'use strict';

module.exports = require('./lib/instance').main();
