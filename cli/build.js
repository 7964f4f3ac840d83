'use strict';
// pinned-ffi build: compiles the addon from the source in the package, where there is no prebuilt one.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { build, isCheckout } = require('../scripts/build');

const summary = 'compile the native addon from the source in this package';

const usage = `Usage: pinned-ffi build [-o FILE]

Compiles the native addon from the source in this package, with cargo and a C compiler, and puts it where the package
looks for it.

  -o, --output FILE  put it there instead; PINNED_FFI_ADDON=FILE makes the package load it

cargo fetches what it has not yet from crates.io. CARGO_NET_OFFLINE=true keeps it from the network: then its cache, or
a vendored registry of your cargo configuration, must have everything. CARGO_TARGET_DIR keeps what it makes on the way;
without it that is removed in the end.`;

async function run(args) {
  const { output } = parseArgs({ args, options: { output: { type: 'string', short: 'o' } } }).values;
  const keepsTarget = process.env.CARGO_TARGET_DIR !== undefined || isCheckout();
  const target = keepsTarget ? undefined : fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-build-'));
  const remove = () => target !== undefined && fs.rmSync(target, { recursive: true, force: true });
  // Also where the build ends the process.
  process.once('exit', remove);
  console.log(`built ${await build({ output, target })}`);
}

module.exports = { summary, usage, run };
