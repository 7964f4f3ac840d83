import fs from 'node:fs';
import { TYPES } from '../../peers/types.mjs';
import { collectYoung, forPeers, timeOf } from '../../cases.mjs';

const NAME = 'libc.so.6';

/** The file of libc in this process. */
function pathOf() {
  const [, file] = /(\/\S*\/libc\.so\.6)$/m.exec(fs.readFileSync('/proc/self/maps', 'utf8'));
  return file;
}

export default {
  title: 'the first `dlopen`, of libc by its {}',
  note: 'Timed once in a new process, with one function. ffi-rs looks a symbol up when it is called.',
  params: ['name', 'path'],
  isCold: true,
  peers: forPeers(Object.keys(TYPES), (peer, library, param) => {
    const place = param === 'name' ? NAME : pathOf();
    let symbols;
    collectYoung();
    const time = timeOf(() => {
      symbols = peer.open(place, { abs: { args: ['i32'], returns: 'i32' } });
    });
    if (symbols.abs(-7) !== 7) throw new Error('abs gives another number');
    return time;
  }),
};
