'use strict';
// The lanes into C that there are, and the ways of the engine in which JavaScript reaches them.

/** Values of PINNED_FFI_LANE. What a lane cannot carry takes another one: libffi carries everything. */
const LANES = ['v8', 'frame', 'node-api', 'libffi'];

const major = Number(process.versions.node.split('.')[0]);
/** Compiles what is called for the second time or so, whatever it costs. */
const EAGER = ['--always-sparkplug', '--no-lazy-feedback-allocation', '--stress-maglev',
  major < 22 ? '--interrupt-budget=100' : '--invocation-count-for-turbofan=2'];

const ENGINES = {
  usual: [],
  // Not --jitless, which takes WebAssembly away, too.
  interpreted: ['--no-opt', '--no-maglev', '--no-sparkplug'],
  'optimised early': EAGER,
};

/** The environment of a process in which a lane is forced. */
const environmentOf = (lane) => ({ PINNED_FFI_LANE: lane });

module.exports = { LANES, ENGINES, environmentOf };
