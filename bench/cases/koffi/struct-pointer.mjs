import { forPeers } from '../../cases.mjs';

const MEMBERS = ['tm_sec', 'tm_min', 'tm_hour', 'tm_mday', 'tm_mon', 'tm_year', 'tm_wday', 'tm_yday', 'tm_isdst'];

export default {
  title: 'a struct by pointer, out: `gmtime_r`',
  peers: forPeers(['koffi', 'koffiLayer'], ({ koffi }) => {
    koffi.struct('tm', {
      ...Object.fromEntries(MEMBERS.map((name) => [name, 'int'])),
      tm_gmtoff: 'long',
      tm_zone: 'const char *',
    });
    const gmtime = koffi.load('libc.so.6').func('void *gmtime_r(int64_t *time, _Out_ tm *result)');
    return [(time, result) => gmtime([time], result)];
  }),
  loop: (gmtime) => (count) => {
    const result = {};
    let sum = 0;
    for (let i = 0; i < count; i++) {
      gmtime(86400 * (i & 7), result);
      sum = (sum + result.tm_mday + result.tm_year) | 0;
    }
    return sum;
  },
  model: () => [(time, result) => Object.assign(result, { tm_mday: time / 86400 + 1, tm_year: 70 })],
};
