import { calls, foreign, given } from '../../settings.mjs';

export default {
  title: 'A call with an address as a number',
  ...calls({ numberOff: [foreign], number: [foreign], numberGiven: [given] }),
};
