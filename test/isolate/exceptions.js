'use strict';
// Tests of the suite that cannot hold where every library is isolated (PINNED_FFI_ISOLATE=1), with the reason of each.
// `npm run test:isolated` runs the files, and fails for a test that fails and is not here.

/** The files that are run. */
const FILES = [
  'alloc',
  'async',
  'call',
  'callback',
  'contract',
  'declaration',
  'enumeration',
  'errno',
  'everyday',
  'external',
  'fence',
  'fn',
  'global',
  'hostile',
  'kept-text',
  'library',
  'library-thread',
  'opaque',
  'out',
  'pin',
  'pointer',
  'string',
  'struct',
  'thread',
  'varargs',
];

/** Those of the short form. */
const SHORT = [
  'call',
  'contract',
  'errno',
  'everyday',
  'global',
  'opaque',
  'out',
  'pointer',
  'string',
  'struct',
  'thread',
  'varargs',
];

const CONSTANTS = 'constants of a library are not shared memory, so no Buffer can lie over them';

/** By file: the title of a test, and why it fails. */
const EXCEPTIONS = {
  alloc: {
    'behaves the same where external buffers are refused':
      'without external buffers memory of alloc() is not shared, so an address of it is refused',
  },
  callback: {
    'JS -> C -> JS goes a thousand levels deep on a stack of 6 MB': 'a level takes more of the stack, for its messages',
    'JS -> C -> JS goes a thousand levels deep on the default stack': 'the same: about 950 levels fit',
  },
  'library-thread': {
    'unloads after the last call and not before': 'it looks for the library among the mappings of Node',
  },
  library: {
    'null is the process itself': 'it is the process of the library, whose number is another one',
    'cycles that really load and unload leave no handle behind':
      'the first isolated library opens the arena and what watches processes, for good',
  },
  pointer: {
    'takes an offset, a BigInt address, and without a length reads up to the NUL': CONSTANTS,
    'refuses lengths and offsets that cannot be': 'a range that leaves the shared memory is refused for that reason',
  },
};

module.exports = { FILES, SHORT, EXCEPTIONS };
