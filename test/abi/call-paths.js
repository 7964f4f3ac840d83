'use strict';
// The paths that calls take into C, and the ways of the engine in which JavaScript reaches them.

/** Values of PINNED_FFI_CALL_PATH. What a path cannot carry takes another one: libffi carries everything. */
const CALL_PATHS = ['fast', 'generic', 'node-api', 'libffi'];

const major = Number(process.versions.node.split('.')[0]);
/** Compiles what is called for the second time or so, whatever it costs. */
const EAGER = [
  '--always-sparkplug',
  '--no-lazy-feedback-allocation',
  '--stress-maglev',
  major < 22 ? '--interrupt-budget=100' : '--invocation-count-for-turbofan=2',
];

const ENGINES = {
  usual: [],
  // Not --jitless, which takes WebAssembly away, too.
  interpreted: ['--no-opt', '--no-maglev', '--no-sparkplug'],
  'optimised early': EAGER,
};

/** The environment of a process in which a call path is forced. */
const environmentOf = (callPath) => ({ PINNED_FFI_CALL_PATH: callPath });

module.exports = { CALL_PATHS, ENGINES, environmentOf };
