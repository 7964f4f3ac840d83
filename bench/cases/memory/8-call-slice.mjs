import { calls, slice } from '../../calls.mjs';

export const title = 'A call with a slice of the pool of 64 bytes';
export const baseline = 'sliceOff';

const make = calls(slice);

export { make as sliceOff, make as slice };
