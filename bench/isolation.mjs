// Functions that the cases of isolation share: the package in its process and isolated, and the ways that people have
// without it: koffi in a worker, which answers messages, and in a child process, which does so over IPC.

import { fork, spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';

const server = new URL('./peers/koffi-server.mjs', import.meta.url);

/** Functions of a library of the package. */
export const inProcess = ({ ffi }, library, declared) => ffi.dlopen(library, declared).symbols;
export const isolated = ({ ffi }, library, declared) => ffi.dlopen(library, declared, { isolate: true }).symbols;

/** The same with the library's process on another processor than this one. */
function isolatedApart({ ffi }, library, declared) {
  const { symbols, isolated: host } = ffi.dlopen(library, declared, { isolate: true });
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '1', String(host.pid)]);
  return symbols;
}

/** A port to the thread or process that serves a library: `ask(name, args)` gives a Promise of the result. */
function portTo(peer) {
  const waiting = [];
  peer.on('message', (result) => waiting.shift()(result));
  return {
    ask: (name, args) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        (peer.postMessage ?? peer.send).call(peer, { name, args });
      }),
    peer,
  };
}

export const startWorker = (library) => portTo(new Worker(server, { workerData: { library } }));
export const startChild = (library) => portTo(fork(server, [library], { serialization: 'advanced' }));

/** A case: `call` is called with what `argumentsOf(i, param)` gives. Without `isLocal` only the package can do it. */
export function calls({ name, argumentsOf, declared, model, hasServers = true, ...rest }) {
  const direct = (open) => (peer, library, param) => [
    open(peer, library, declared(peer))[name],
    argumentsOf(param, peer),
  ];
  const served = (start) => (_, library, param) => {
    const { ask } = start(library);
    return [(...args) => ask(name, args), argumentsOf(param), true];
  };
  return {
    settings: {
      inProcess: direct(inProcess),
      isolated: direct(isolated),
      isolatedTwo: direct(isolatedApart),
      isolatedOne: direct(isolated),
      ...(hasServers && {
        worker: served(startWorker),
        workerOne: served(startWorker),
        child: served(startChild),
        childOne: served(startChild),
      }),
    },
    clock: 'wall',
    loop: (call, args, isServed) => (isServed ? loopOfPromises(call, args) : loopOf(call, args)),
    model: (param) => [model, argumentsOf(param, null)],
    ...rest,
  };
}

const numberOf = (result) => (typeof result === 'number' ? result : result.x + 2 * result.y);

const loopOf = (call, args) => (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + numberOf(call(...args(i)))) | 0;
  return sum;
};

const loopOfPromises = (call, args) => async (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + numberOf(await call(...args(i)))) | 0;
  return sum;
};
