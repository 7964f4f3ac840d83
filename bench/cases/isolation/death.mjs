import { once } from 'node:events';
import { isolated, startChild } from '../../isolation.mjs';

const now = () => performance.now() * 1e6;

/** From a call of abort() to the exception. */
function ours(peer) {
  const { abort, abs } = isolated(peer, 'c', { abort: {}, abs: { args: ['i32'], returns: 'i32' } });
  abs(1);
  const start = now();
  try {
    abort();
  } catch ({ code }) {
    if (code !== 'ERR_FFI_LIBRARY_DIED') throw new Error(`abort() gave ${code}`);
    return now() - start;
  }
  throw new Error('abort() has returned');
}

/** The same to the event. */
async function child(_, library) {
  const { ask, peer } = startChild(library);
  await ask('add_i32', [1, 2]);
  const start = now();
  ask('abort', []);
  await once(peer, 'exit');
  return now() - start;
}

export default {
  title: 'death: from `abort()` to the exception',
  note: 'Of a child process, to its event. In a process and in a worker nothing is left to throw.',
  isCold: true,
  clock: 'wall',
  settings: { isolated: ours, isolatedOne: ours, child, childOne: child },
};
