import { calls, slice } from '../../settings.mjs';

export default {
  title: 'A call with a slice of the pool of 64 bytes',
  ...calls({ sliceOff: [slice], slice: [slice] }),
};
