// Functions that the cases of memory share: the package in different settings, instead of different packages.

import { forPeers } from './cases.mjs';

/** Fences of all widths, beside Node alone. The first is what the others are held against. */
export const FENCES = ['none', 'off', 'fenced', 'fence128', 'fence256', 'fence4096'];

export const forSettings = forPeers;

/** Where what was allocated goes, so that the optimiser cannot leave it out. */
export const sink = [null];

/** A Buffer with separate storage, which has fences where they are installed. */
export const own = () => Buffer.alloc(64);

/** A slice of Node's pool. */
export const slice = () => Buffer.allocUnsafe(64).fill(0);

const kept = [];

function addressOf(ffi, view) {
  kept.push(view);
  return ffi.ptr(view);
}

/** The address of a Buffer, as a number. */
export const given = ({ ffi }) => addressOf(ffi, own());

/** That of a slice of Node's pool. */
export const givenSlice = ({ ffi }) => addressOf(ffi, slice());

/** An address that is no Buffer's. */
export function foreign({ ffi }) {
  const { symbols } = ffi.dlopen('c', { malloc: { args: ['size_t'], returns: 'ptr' } });
  const address = symbols.malloc(64);
  ffi.toBuffer(address, 0, 64).fill(0);
  return address;
}

/** A case of calls of `strlen(p)`: by setting, what makes the argument and the options of dlopen. */
export function calls(bySetting) {
  const prepare =
    ([make, options]) =>
    (peer) => {
      const { symbols } = peer.ffi.dlopen('c', { strlen: { args: ['ptr'] } }, options);
      return [symbols.strlen, make(peer)];
    };
  return {
    settings: Object.fromEntries(Object.entries(bySetting).map(([name, made]) => [name, prepare(made)])),
    loop: (strlen, argument) => (count) => {
      for (let i = 0; i < count; i++) strlen(argument);
      return 'done';
    },
    model: () => [() => {}],
  };
}
