'use strict';
// The exports of `pinned-ffi/node-ffi`.

const { DynamicLibrary, dlclose, dlopen, dlsym } = require('./library.js');
const memory = require('./memory.js');
const { allPermitted } = require('../native/permission.js');
const { types } = require('./types.js');
const { suffix } = require('../native/platform.js');
require('../memory/fences.js');

module.exports = { DynamicLibrary, ...allPermitted({ dlopen, dlclose, dlsym, ...memory }), suffix, types };
