import { calls, foreign, own } from '../../calls.mjs';

export const title = 'A call with a Buffer of 64 bytes';
export const note = '`strlen(p)` of an empty text, its result not taken: what is measured is the way of the call.';
export const baseline = 'bufferOff';

export const bufferOff = calls(own);
export const buffer = calls(own);
export const guardOff = calls(own, { guard: true });
export const guard = calls(own, { guard: true });
export const number = calls(foreign);
