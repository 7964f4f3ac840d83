import { own } from '../../calls.mjs';
import { dlopen } from '../../../index.mjs';

export const title = 'A call with a new Buffer of 64 bytes each';
export const note = 'Allocation, the call, and the quarantine of a Buffer whose address was given out.';
export const baseline = 'off';

function make() {
  const { strlen } = dlopen('c', { strlen: { args: ['ptr'] } }).symbols;
  return (count) => {
    for (let i = 0; i < count; i++) strlen(own());
  };
}

export { make as off, make as unquarantined, make as fenced, make as fence256, make as fence4096 };
