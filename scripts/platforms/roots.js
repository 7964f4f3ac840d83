'use strict';
// Programs that run in another root directory, each behind a script that starts it there as if it were here.

const fs = require('node:fs');
const path = require('node:path');

/**
 * Writes an executable script.
 * @param {string} file
 * @param {string[]} lines
 * @param {string} [head] its first line
 * @returns {string} the file
 */
function writeScript(file, lines, head = '#!/bin/sh') {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${[head, ...lines].join('\n')}\n`, { mode: 0o755 });
  return file;
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A script that runs a program in a root directory, with its arguments, in the working directory of now. The mounts end
 * with the program. Without root it needs user namespaces.
 * @param {string} file the script
 * @param {object} where
 * @param {string} where.root
 * @param {string[]} where.shared folders of this machine that are seen there under the same path
 * @param {string} where.program its path there
 */
function writeRootScript(file, { root, shared, program }) {
  const mounts = shared.flatMap((folder) => {
    const there = path.join(root, folder);
    fs.mkdirSync(there, { recursive: true });
    return [`mount --rbind ${quote(folder)} ${quote(there)}`];
  });
  const inner = [
    'mount --make-rprivate /',
    ...mounts,
    `exec chroot ${quote(root)} /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" ${quote(program)} "$@"`,
  ];
  const namespace = process.geteuid() === 0 ? '--mount' : '--mount --map-root-user';
  return writeScript(file, [`exec unshare ${namespace} sh -euc ${quote(inner.join('\n'))} sh "$@"`]);
}

module.exports = { writeScript, writeRootScript, quote };
