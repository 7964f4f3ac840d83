import { calls, foreign, given, givenSlice } from '../../settings.mjs';

export default {
  title: 'A call with an address as a number',
  ...calls({ numberOff: [foreign], number: [foreign], numberGiven: [given], numberSlice: [givenSlice] }),
};
