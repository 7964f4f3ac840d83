'use strict';
// clang's syntax tree as it is printed: one declaration after the other, because the tree of one header may have
// hundreds of megabytes. What is not wanted is cut out as text and never parsed.

const BEGIN = Buffer.from('\n    {\n');
const END = Buffer.from('\n    }');
const FILE = Buffer.from('"file": "');
const BRACE = '{'.charCodeAt(0);
const HEAD_BYTES = 4096;

/**
 * Splits the tree into the texts of its outermost declarations; `onDeclaration` gets each. They are told by their
 * indentation: clang prints one value a line, and line breaks inside of texts escaped.
 */
class Splitter {
  #rest = Buffer.alloc(0);
  #onDeclaration;
  #searched = 0;

  constructor(onDeclaration) {
    this.#onDeclaration = onDeclaration;
  }

  write(part) {
    let data = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    for (;;) {
      const begin = data.indexOf(BEGIN);
      const end = begin < 0 ? -1 : data.indexOf(END, Math.max(begin + BEGIN.length, this.#searched));
      if (end < 0) break;
      this.#onDeclaration(data.subarray(begin + 5, end + END.length));
      data = data.subarray(end + END.length);
      this.#searched = 0;
    }
    this.#searched = Math.max(0, data.length - END.length);
    this.#rest = data;
  }
}

/** The last file that a text of the tree names: later places leave it out while it stays the same. */
function lastFile(chunk, before) {
  for (let at = chunk.lastIndexOf(FILE); at >= 0; at = at === 0 ? -1 : chunk.lastIndexOf(FILE, at - 1)) {
    // The file of "includedFrom" stands first in its braces, and is not one that counts.
    let previous = at - 1;
    while (chunk[previous] <= 32) previous -= 1;
    if (chunk[previous] !== BRACE) return fileAt(chunk, at);
  }
  return before;
}

const fileAt = (chunk, at) => JSON.parse(chunk.toString('utf8', at + 8, chunk.indexOf('"', at + FILE.length) + 1));

/** Where a declaration is: the file, given the last one that was named before it. */
function fileOf(location, before) {
  const { spellingLoc, expansionLoc } = location;
  if (expansionLoc === undefined) return location.file ?? before;
  return expansionLoc.file ?? spellingLoc?.file ?? before;
}

/** What is known of a declaration before it is parsed: its kind, its name, its place. */
function headOf(chunk) {
  const text = chunk.toString('utf8', 0, Math.min(chunk.length, HEAD_BYTES));
  const location = /^ {6}"loc": (\{\}|\{\n[^]*?\n {6}\})/m.exec(text)?.[1] ?? '{}';
  return {
    kind: /"kind": "(\w+)"/.exec(text)?.[1],
    id: /"id": "(\w+)"/.exec(text)?.[1],
    name: /^ {6}"name": "(.*)"/m.exec(text)?.[1],
    location: JSON.parse(location),
  };
}

/**
 * Reads the tree of a file.
 * @param {import('./clang').Clang} clang
 * @param {(declaration: object) => void} onDeclaration gets { kind, id, name, file, parse, keep }:
 *   `parse` gives the declaration now, `keep` a function that gives it later
 * @param {(bytes: number) => void} onProgress
 */
async function readTree(clang, file, onDeclaration, onProgress) {
  let named;
  let bytes = 0;
  const splitter = new Splitter((chunk) => {
    const { kind, id, name, location } = headOf(chunk);
    const place = fileOf(location, named);
    named = lastFile(chunk, named);
    const parse = () => JSON.parse(chunk.toString('utf8'));
    // The memory of a chunk is that of all that came with it: what is kept is copied.
    const keep = () => {
      const copy = Buffer.from(chunk);
      return () => JSON.parse(copy.toString('utf8'));
    };
    const hasPlace = location.offset !== undefined || location.expansionLoc !== undefined;
    onDeclaration({ kind, id, name, file: hasPlace ? place : undefined, parse, keep });
  });
  const result = await clang.stream(
    [
      '-Xclang',
      '-ast-dump=json',
      '-fparse-all-comments',
      '-fretain-comments-from-system-headers',
      '-fsyntax-only',
      file,
    ],
    (part) => {
      splitter.write(part);
      onProgress((bytes += part.length));
    },
  );
  return result;
}

module.exports = { readTree };
