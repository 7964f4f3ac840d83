'use strict';
// `pinned-ffi build`: compiles the addon from the source in the package, where there is no prebuilt one.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { build, isCheckout } = require('../scripts/build.js');
const { usageError } = require('./usage.js');

const help = `Usage: pinned-ffi build [-o FILE]

Compiles the native addon from the source in this package, with cargo and a C compiler, and puts it where the package
looks for it.

  -o, --output FILE  put it there instead; PINNED_FFI_ADDON=FILE makes the package load it

cargo fetches what it has not yet from crates.io. CARGO_NET_OFFLINE=true keeps it from the network: then its cache, or
a vendored registry of your cargo configuration, must have everything. CARGO_TARGET_DIR keeps what it makes on the way;
without it that is removed in the end.
`;

const options = { output: { type: 'string', short: 'o' } };

async function run({ output }, positionals) {
  if (positionals.length > 0) throw usageError(`takes no argument, received '${positionals[0]}'`);
  if (output === '') throw usageError('the name of the output is empty');
  const keepsTarget = process.env.CARGO_TARGET_DIR !== undefined || isCheckout();
  const target = keepsTarget ? undefined : fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-build-'));
  // At the exit, because a build that fails ends the process.
  if (target !== undefined) process.once('exit', () => fs.rmSync(target, { recursive: true, force: true }));
  console.log(`built ${await build({ output, target })}`);
  return 0;
}

module.exports = { help, options, run };
