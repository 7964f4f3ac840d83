'use strict';
// Decides which files belong to a binding: the header, its folder, and the headers that it only includes.

const fs = require('node:fs');
const path = require('node:path');

/** Folders of headers of many libraries: a header in one of them stands for itself only. */
const SYSTEM = /^\/usr\/(local\/)?include(\/[\w]+-[\w-]+)?$/;

const realPaths = new Map();
function realPath(file) {
  if (!realPaths.has(file)) realPaths.set(file, fs.existsSync(file) ? fs.realpathSync(file) : file);
  return realPaths.get(file);
}

/**
 * Whether a header that another one includes is a part of that one: it lies in a folder of its name (git2.h and git2/),
 * its name begins so (wayland-client.h and wayland-client-protocol.h), or it is one of those in which the C library
 * keeps what its headers share.
 */
function isPartOf(header, included) {
  const stem = path.basename(header).replace(/\.\w+$/, '');
  const folder = path.dirname(header);
  const relative = path.relative(folder, included);
  if (relative.startsWith(`${stem}${path.sep}`)) return true;
  if (path.dirname(included) === folder) {
    const name = path.basename(included);
    return name.startsWith(stem) && /^[-_.]/.test(name.slice(stem.length));
  }
  return path.basename(path.dirname(included)) === 'bits' && SYSTEM.test(folder);
}

/**
 * @param {object} request
 * @param {string} request.header the path of the header
 * @param {string[]} request.roots folders in which headers are looked for
 * @param {string[]} request.also further files and folders
 * @param {{ from: string, to: string }[]} request.inclusions which file includes which
 * @returns {(file: string | undefined) => boolean}
 */
function ownership({ header, roots, also, inclusions }) {
  const folder = path.dirname(header);
  const isShared = SYSTEM.test(realPath(folder)) || roots.some((root) => realPath(root) === realPath(folder));
  const own = new Set([header, ...also].map(realPath));
  const folders = [...own].filter((file) => fs.statSync(file, { throwIfNoEntry: false })?.isDirectory());
  if (!isShared) folders.push(realPath(folder));
  for (const { from, to } of inclusions) {
    if (own.has(realPath(from)) && isPartOf(header, to)) own.add(realPath(to));
  }
  const isBelow = (file) => folders.some((each) => file.startsWith(each + path.sep));
  return (file) => file !== undefined && (own.has(realPath(file)) || isBelow(realPath(file)));
}

module.exports = { ownership, realPath };
