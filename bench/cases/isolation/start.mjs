import { inProcess, isolated, startChild, startWorker } from '../../isolation.mjs';

const declared = { add_i32: { args: ['i32', 'i32'], returns: 'i32' } };
const now = () => performance.now() * 1e6;

const direct = (open) => (peer, library) => {
  const start = now();
  if (open(peer, library, declared).add_i32(1, 2) !== 3) throw new Error('it does not add');
  return now() - start;
};

const served = (serve) => async (_, library) => {
  const start = now();
  if ((await serve(library).ask('add_i32', [1, 2])) !== 3) throw new Error('it does not add');
  return now() - start;
};

export default {
  title: 'start: until the first call has its result',
  note: 'In a process that has loaded the package, or koffi, before.',
  isCold: true,
  clock: 'wall',
  settings: {
    inProcess: direct(inProcess),
    isolated: direct(isolated),
    isolatedOne: direct(isolated),
    worker: served(startWorker),
    workerOne: served(startWorker),
    child: served(startChild),
    childOne: served(startChild),
  },
};
