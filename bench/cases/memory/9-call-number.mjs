import { calls, foreign, given } from '../../calls.mjs';

export const title = 'A call with an address as a number';
export const baseline = 'numberOff';

export const numberOff = calls(foreign);
export const number = calls(foreign);
export const numberGiven = calls(given);
