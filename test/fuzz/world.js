'use strict';
// What the inputs of a process share, and how a value is made of a spec (test/fuzz/specs.js).

const { ffi, fixture, collect } = require('../helpers.js');
const { PLACES, isNumeric } = require('./atoms.js');

/** Effects of getters and traps that an input may cause; then they rest. */
const MOST_EFFECTS = 20;
const THROWN_TEXT = 'thrown by the user';

class World {
  /** What the input's own code has thrown. */
  thrown = new Set();
  effects = 0;
  collections = 0;

  constructor() {
    this.ffi = ffi;
    this.fixed = ffi.dlopen(fixture, {
      answer_zero: {},
      get_text: { returns: 'ptr' },
      alloc_bytes: { args: ['u64'], returns: 'ptr' },
    }).symbols;
    this.zero = this.fixed.answer_zero;
    // C's own, never freed: text and numbers, whose address is given to the package as a number.
    this.address = this.fixed.alloc_bytes(64);
    ffi.toBuffer(this.address, 0, 64).write('a text of the fuzzer');
    this.point = ffi.struct({ x: 'f64', y: 'i32', z: 'ptr' });
    this.triple = ffi.array('i8', 3);
    this.opaque = ffi.opaque('Opaque');
    this.fn = ffi.fn({ args: ['i32'], returns: 'i32' });
    this.out = ffi.out('i32');
    this.enumeration = ffi.enumeration({ A: 1 });
    this.closedCallback = this.makeCallback();
    this.closedCallback.close();
    const closed = this.open();
    this.closedFunction = closed.symbols.answer_zero;
    closed.close();
    this.view = new Uint8Array(16);
    this.resizable = new ArrayBuffer(8, { maxByteLength: 64 });
  }

  open() {
    return ffi.dlopen(fixture, { answer_zero: { args: ['i32'], returns: 'i32' } });
  }

  makeCallback() {
    return new ffi.JSCallback((value) => value, { args: ['i32'], returns: 'i32' });
  }

  /** One for many inputs: the code of a closure stays until the process ends. */
  callback() {
    if (this.openCallback === undefined || this.openCallback.ptr === null) this.openCallback = this.makeCallback();
    return this.openCallback;
  }

  pin() {
    return (this.pinned ??= ffi.pin(new Uint8Array(8)));
  }

  get library() {
    return (this.openLibrary ??= this.open());
  }

  /** Ready for the next input. */
  reset() {
    this.thrown.clear();
    this.effects = 0;
    if (this.view.byteLength === 0) this.view = new Uint8Array(16);
    this.pinned?.release();
    this.pinned = undefined;
  }

  /** What the user's code does in the middle. */
  cause(effect) {
    this.effects += 1;
    if (this.effects > MOST_EFFECTS) return;
    switch (effect) {
      case 'throw': {
        const error = new Error(THROWN_TEXT);
        this.thrown.add(error);
        throw error;
      }
      case 'throw a string':
        throw THROWN_TEXT;
      case 'detach': {
        // A pinned buffer refuses: then this is the exception of the user's code.
        try {
          structuredClone(this.view.buffer, { transfer: [this.view.buffer] });
        } catch (error) {
          this.thrown.add(error);
          throw error;
        }
        return;
      }
      case 'resize':
        this.resizable.resize(1 + (this.resizable.byteLength % 64));
        return;
      case 'close the library':
        this.library.close();
        this.openLibrary = undefined;
        return;
      case 'close the callback':
        this.callback().close();
        return;
      case 'call':
        this.library.symbols.answer_zero(7);
        return;
      case 'declare':
        ffi.sizeof(this.point);
        this.zero();
        ffi.read.i32(this.address);
        return;
      // The first of a process is one; of the others few, which would be most of the time.
      case 'collect':
        if (this.collections++ % 16 === 0) collect();
        return;
      default: // 'none'
    }
  }

  /** A value of a spec. `tame` keeps numbers from being addresses of what is not there. */
  make(spec, tame = false) {
    const of = (each) => this.make(each, tame);
    switch (spec.k) {
      case 'atom': {
        const value = PLACES[spec.place ?? 'any'][spec.name](this);
        return tame && spec.place === undefined && isNumeric(spec.name) ? tamed(value) : value;
      }
      case 'text':
      case 'number':
        return spec.value;
      case 'object':
        return this.object(spec, of);
      case 'array':
        return this.array(spec.items.map(of), spec.how);
      case 'getter':
        return of(spec.of);
      case 'make':
        return ffi[spec.fn](...spec.args.map(of));
      case 'convertible': {
        const convert = () => {
          this.cause(spec.effect);
          return of(spec.of);
        };
        return { valueOf: convert, toString: convert, toJSON: convert, [Symbol.toPrimitive]: convert };
      }
      case 'function':
        return () => {
          this.cause(spec.effect);
          return of(spec.of);
        };
      case 'proxy': {
        const target = of(spec.of);
        return Object(target) === target ? this.proxy(target, spec.effect) : target;
      }
      default:
        throw new Error(`no such spec: ${JSON.stringify(spec)}`);
    }
  }

  object({ entries, how }, of) {
    const made = Object.create(how === 'null' ? null : Object.prototype);
    for (const [key, spec] of entries) {
      const own = { configurable: true, enumerable: true };
      if (spec.k !== 'getter') Object.defineProperty(made, key, { value: of(spec), writable: true, ...own });
      else Object.defineProperty(made, key, { get: () => (this.cause(spec.effect), of(spec.of)), ...own });
    }
    if (how === 'frozen') return Object.freeze(made);
    if (how === 'inherited') return Object.create(made);
    return how === 'proxy' ? this.proxy(made, 'none') : made;
  }

  array(items, how) {
    switch (how) {
      case 'frozen':
        return Object.freeze(items);
      case 'sparse':
        return Object.assign([], { ...items.slice(1), length: items.length + 1 });
      case 'proxy':
        return this.proxy(items, 'none');
      case 'like':
        return Object.assign({ length: items.length }, items);
      default:
        return items;
    }
  }

  /** Passes everything on, after its effect. Getters run on the target, whose private members a proxy does not have. */
  proxy(target, effect) {
    return new Proxy(
      target,
      new Proxy(
        {},
        {
          get:
            (_, trap) =>
            (...args) => {
              this.cause(effect);
              return trap === 'get' ? Reflect.get(args[0], args[1]) : Reflect[trap](...args);
            },
        },
      ),
    );
  }
}

const tamed = (value) => (typeof value === 'bigint' ? value % 4096n : Number.isFinite(value) ? value % 4096 : value);

module.exports = { World, THROWN_TEXT };
