'use strict';
// The declarations of a header: functions, variables, types and macros of the header itself, and the names that
// typedefs give to the types of all headers.

const fs = require('node:fs');
const { Cursor, Type } = require('./clang.js');

const STATIC = 3;
const TAGS = new Set([Cursor.struct, Cursor.union, Cursor.enum]);

class Declarations {
  /** By name: the first declaration of each that has a comment, else the first, in the order of the header. */
  functions = new Map();
  /** Functions that the header defines itself: nothing exports them. */
  inline = new Map();
  variables = new Map();
  /** Names of typedefs of the header itself. */
  typedefs = new Set();
  /** Structs, unions and enums of the header itself. */
  tags = [];
  /** Macros of the header itself, by name: { isFunction, body }. */
  macros = new Map();
  #names = new Map();
  #clang;
  #sources = new Map();

  constructor(clang) {
    this.#clang = clang;
  }

  add(cursor, isOwn) {
    if (cursor.kind === Cursor.typedef) this.#addTypedef(cursor, isOwn);
    else if (!isOwn()) return;
    else if (cursor.kind === Cursor.function) this.#addFunction(cursor);
    else if (TAGS.has(cursor.kind)) this.tags.push(cursor);
    else if (cursor.kind === Cursor.macro) this.#addMacro(cursor);
    else if (cursor.kind === Cursor.variable) {
      const name = this.#clang.spelling(cursor);
      if (!this.variables.has(name)) this.variables.set(name, cursor);
    }
  }

  #addFunction(cursor) {
    const clang = this.#clang;
    const name = clang.spelling(cursor);
    // Declarations that the compiler made by itself do not belong to the header.
    if (name.startsWith('__builtin_')) return;
    const { c } = clang;
    const storage = c.clang_Cursor_getStorageClass(cursor);
    const isInline = storage === STATIC || (c.clang_Cursor_isFunctionInlined(cursor) !== 0 && storage !== 2);
    if (isInline) {
      this.functions.delete(name);
      this.inline.set(name, cursor);
      return;
    }
    if (this.inline.has(name)) return;
    const before = this.functions.get(name);
    if (before === undefined || (!this.#isCommented(before) && this.#isCommented(cursor)))
      this.functions.set(name, cursor);
  }

  #isCommented(cursor) {
    return this.#clang.text(this.#clang.c.clang_Cursor_getRawCommentText(cursor)) !== '';
  }

  #addTypedef(cursor, isOwn) {
    const clang = this.#clang;
    const tag = this.#tagOf(clang.c.clang_getTypedefDeclUnderlyingType(cursor));
    if (tag !== undefined && !this.#names.has(tag)) this.#names.set(tag, clang.spelling(cursor));
    if (isOwn()) this.typedefs.add(clang.spelling(cursor));
  }

  /** The key of the struct, union or enum that a type is, other than by a pointer; undefined where it is none. */
  #tagOf(type) {
    const { c } = this.#clang;
    let named = type;
    while (named.kind === Type.elaborated) named = c.clang_Type_getNamedType(named);
    if (named.kind === Type.record || named.kind === Type.enum)
      return this.#clang.globalKeyOf(c.clang_getTypeDeclaration(named));
    if (named.kind !== Type.typedef) return undefined;
    return this.#tagOf(c.clang_getTypedefDeclUnderlyingType(c.clang_getTypeDeclaration(named)));
  }

  /** The name that a typedef gives to a struct, a union or an enum. */
  typedefOf(cursor) {
    return this.#names.get(this.#clang.globalKeyOf(cursor));
  }

  #addMacro(cursor) {
    const clang = this.#clang;
    const name = clang.spelling(cursor);
    const isFunction = clang.c.clang_Cursor_isMacroFunctionLike(cursor) !== 0;
    const { file, start, end } = clang.extent(cursor);
    const text = this.#source(file).toString('utf8', start, end);
    this.macros.set(name, {
      isFunction,
      body: text
        .slice(name.length)
        .replace(/\\\r?\n/g, ' ')
        .trim(),
    });
  }

  #source(file) {
    if (!this.#sources.has(file)) this.#sources.set(file, fs.readFileSync(file));
    return this.#sources.get(file);
  }
}

/** Which file includes which, in the order of the preprocessor. */
function inclusionsOf(clang, cursors) {
  return cursors
    .filter(({ kind }) => kind === Cursor.inclusion)
    .map((cursor) => ({ from: clang.place(cursor).file, to: clang.includedFile(cursor) }))
    .filter(({ to }) => to !== undefined);
}

/**
 * @param {InstanceType<typeof import('./clang.js').Clang>} clang
 * @param {object[]} cursors those of a unit
 * @param {(file: string | undefined) => boolean} isOwn whether a file belongs to what is bound
 */
function readDeclarations(clang, cursors, isOwn) {
  const declarations = new Declarations(clang);
  for (const cursor of cursors) declarations.add(cursor, () => isOwn(clang.place(cursor).file));
  return declarations;
}

module.exports = { readDeclarations, inclusionsOf };
