#!/usr/bin/env node
'use strict';
// The command line: `npx pinned-ffi`.

require('../cli/main.js').main(process.argv.slice(2));
