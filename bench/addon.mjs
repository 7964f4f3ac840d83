// The addon that is written by hand (lib/addon.c), for the cases of cases/programs/.

import path from 'node:path';
import process from 'node:process';

/** @param library the file of lib/programs.c, beside which the addon is */
export function load(library) {
  const module = { exports: {} };
  process.dlopen(module, path.join(path.dirname(library), path.basename(library).replace('programs', 'addon')));
  return module.exports;
}
