// Calls with a pointer to 64 bytes: `strlen(p)` of an empty text, its result not taken, so that what is measured is the
// way of the call.
import { dlopen, ptr, toBuffer } from '../index.mjs';

/** A variant: a batch of calls with what `make` gives. */
export const calls = (make, options) => () => {
  const declarations = { strlen: { args: ['ptr'] }, malloc: { args: ['size_t'], returns: 'ptr' } };
  const { symbols } = dlopen('c', declarations, options);
  const { strlen } = symbols;
  const argument = make(symbols);
  return (count) => {
    for (let i = 0; i < count; i++) strlen(argument);
  };
};

const kept = [];

/** A Buffer with storage of its own, which has fences where they are installed. */
export const own = () => Buffer.alloc(64);

/** A slice of Node's pool. */
export const slice = () => Buffer.allocUnsafe(64).fill(0);

/** The address of a Buffer, as a number. */
export function given() {
  kept.push(own());
  return ptr(kept.at(-1));
}

/** An address that is no Buffer's. */
export function foreign({ malloc }) {
  const address = malloc(64);
  toBuffer(address, 0, 64).fill(0);
  return address;
}
