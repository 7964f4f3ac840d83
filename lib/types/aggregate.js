'use strict';
// The type descriptors of structs, unions and arrays, with the members of lib/types/registry.js and
// generated code for the fields. Plain values go in and out; offsets come from the native side.
//   resolve  copies the user's object, which may run getters, before anything is written.
//   write    returns what the fields have to keep alive, stored already (`retains`), as lib/types/registry.js says of
//   views. live     gives an accessor over memory (lib/types/views.js).

const { wrongType, wrongValue, makeError, locationOf } = require('../errors.js');
const { compile } = require('../codegen/compile.js');
const { inPart } = require('../exact-numbers.js');
const { noteInline, inlineOf, byExpression } = require('../codegen/read-values.js');
const access = require('../memory/access.js');
const { decodeText, encodeInto, encodeWithNul, textElements } = require('./text-units.js');

let count = 0;

/** An aggregate's value has to be an object. */
function checkObject(value, name, owner, position) {
  if (typeof value === 'object' && value !== null) return;
  throw wrongType(locationOf(owner, position), `an object (${name})`, value);
}

/** Zeroes a value, so that the bytes between the fields are defined. */
const zero = (view, at, size) => new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0);

/** Copies the bytes of a live view of the same type, which keeps what its fields point to. */
function copy(view, at, bytes) {
  new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
  return bytes.source;
}

function bytesOfText(text, unit, name, position) {
  try {
    return encodeWithNul(text, unit);
  } catch (cause) {
    throw makeError('ERR_FFI_MEMORY_EXHAUSTED', `${locationOf(name, position)}: there is no memory for its text`, {
      cause,
    });
  }
}

/** Stores the value that a field's write() returned, and adds it to the retained values. */
function retain(retained, descriptor, view, at, value, name, position) {
  if (value === undefined) return retained;
  let stored = value;
  if (!descriptor.retains) {
    stored = typeof value === 'string' ? bytesOfText(value, descriptor.unit, name, position) : value;
    access.storeAddress(view, at, stored, name, position);
  }
  if (retained === undefined) return [stored];
  retained.push(stored);
  return retained;
}

const RUNTIME = { zero, copy, retain };

/** A struct's `read`, whose errors name the field. Of fields that never throw it is the same. */
function readerNamingFields(read, fields) {
  if (!fields.some(({ descriptor }) => descriptor.mayThrow)) return read;
  return (view, at) => {
    try {
      return read(view, at);
    } catch (error) {
      throw inPart(error, partThatThrows(fields, view, at));
    }
  };
}

/** The field whose value is the first that cannot be read. */
function partThatThrows(fields, view, at) {
  for (const { key, offset, descriptor } of fields) {
    try {
      descriptor.read(view, at + offset);
    } catch {
      return key;
    }
  }
  return undefined;
}

const retainsAny = (descriptors) => descriptors.some((descriptor) => descriptor.isPointerLike || descriptor.retains);

const common = (layout, name, descriptors) => ({
  id: layout.id,
  key: `T${(count += 1)}`,
  name,
  size: layout.size,
  align: layout.align,
  retains: retainsAny(descriptors),
  mayThrow: descriptors.some((descriptor) => descriptor.mayThrow),
});

// ---- structs --------------------------------------------------------------------------------------------------------

const text = JSON.stringify;

/** The source of read, resolve and write of a struct. */
function structSource(fields, size, isPadded, zero) {
  const outer = ({ key, type }) =>
    `{ outer: position, part: ${text(key)}${type === undefined ? '' : `, type: ${text(type)}`} }`;
  const lines = (line, separator = '\n  ') => fields.map(line).filter(Boolean).join(separator);
  return `'use strict';
${lines((_, i) => `const descriptor${i} = fields[${i}].descriptor, { read: read${i}, write: write${i}, resolve: resolve${i} } = descriptor${i};`)}
function read(view, at) {
  return { ${lines(({ key, offset }, i) => `${text(key)}: read${i}(view, at + ${offset})`, ', ')} };
}
function copyOf(value, name, position) {
  const copied = { ${lines(({ key }) => `${text(key)}: value[${text(key)}]`, ', ')} };
  ${lines(
    (field, i) =>
      field.descriptor.resolve &&
      `${zero ? `if (copied[${text(field.key)}] !== undefined) ` : ''}copied[${text(field.key)}] = resolve${i}(copied[${text(field.key)}], name, ${outer(field)});`,
  )}
  return copied;
}
function write(view, at, value, name, position) {
  if (value instanceof Uint8Array) return runtime.copy(view, at, value);
  ${isPadded || zero ? `runtime.zero(view, at, ${size});` : ''}
  let retained;
  ${lines((field, i) => {
    const written = `write${i}(view, at + ${field.offset}, value[${text(field.key)}], name, ${outer(field)})`;
    const condition = zero ? `if (value[${text(field.key)}] !== undefined) ` : '';
    return field.descriptor.isPointerLike || field.descriptor.retains
      ? `${condition}retained = runtime.retain(retained, descriptor${i}, view, at + ${field.offset}, ${written}, name, ${outer(field)});`
      : `${condition}${written};`;
  })}
  return retained;
}
return { read, copyOf, write };`;
}

function plainStruct(size, isPadded, zeroes) {
  return (fields) => ({
    read: (view, at) =>
      Object.fromEntries(fields.map(({ key, offset, descriptor }) => [key, descriptor.read(view, at + offset)])),
    copyOf(value, name, position) {
      const copied = fields.map(({ key }) => [key, value[key]]);
      fields.forEach(({ key, descriptor, type }, i) => {
        const part = { outer: position, part: key, type };
        if (zeroes && copied[i][1] === undefined) return;
        if (descriptor.resolve) copied[i][1] = descriptor.resolve(copied[i][1], name, part);
      });
      return Object.fromEntries(copied);
    },
    write(view, at, value, name, position) {
      if (value instanceof Uint8Array) return copy(view, at, value);
      if (isPadded || zeroes) zero(view, at, size);
      let retained;
      for (const { key, offset, descriptor, type } of fields) {
        if (zeroes && value[key] === undefined) continue;
        const part = { outer: position, part: key, type };
        retained = retain(
          retained,
          descriptor,
          view,
          at + offset,
          descriptor.write(view, at + offset, value[key], name, part),
          name,
          part,
        );
      }
      return retained;
    },
  });
}

/** The most characters of a source that reads all fields at once: larger structs are copied before they are read. */
const MOST_SOURCE = 1000;

/** Tells how generated source reads a struct of plain fields out of the argument buffer. */
function noteFields(read, fields) {
  const parts = fields.map(({ descriptor }) => inlineOf(descriptor));
  if (!parts.every((part) => part?.source)) return;
  const source = (at) => {
    const values = fields.map(({ offset }, i) => parts[i].source(at + offset));
    if (values.includes(undefined)) return undefined;
    return `{ ${fields.map(({ key }, i) => `${text(key)}: ${values[i]}`).join(', ')} }`;
  };
  if (source(0)?.length <= MOST_SOURCE) noteInline(read, byExpression(source));
}

/**
 * The descriptor of a struct.
 * @param {{ id: number, size: number, align: number }} layout
 * @param {string} name
 * @param {{ key: string, offset: number, descriptor: import('./registry.js').TypeDescriptor, bits?: number, type?:
 *   string }[]} fields
 * @param {boolean} zero whether fields that a value lacks are zero
 */
function structDescriptor(layout, name, fields, zero = false) {
  const used = fields.reduce((sum, { descriptor, bits }) => sum + (bits === undefined ? descriptor.size : 0), 0);
  const isPadded = used !== layout.size;
  const compiled = compile(
    `struct/${name}`,
    'fields, runtime',
    structSource(fields, layout.size, isPadded, zero),
    [fields, RUNTIME],
    () => plainStruct(layout.size, isPadded, zero)(fields),
  );
  /** @type {any} */
  const descriptor = {
    ...common(
      layout,
      name,
      fields.map((field) => field.descriptor),
    ),
    read: readerNamingFields(compiled.read, fields),
    write: compiled.write,
    fields,
  };
  noteFields(descriptor.read, fields);
  descriptor.resolve = (value, owner, position) => {
    checkObject(value, name, owner, position);
    return descriptor.bytesOf(value) ?? compiled.copyOf(value, owner, position);
  };
  return descriptor;
}

// ---- unions ---------------------------------------------------------------------------------------------------------

/**
 * The descriptor of a union. C gets an object with one of its fields; JavaScript gets a view of a copy, whose fields
 * are read when they are accessed, because only one of them is meaningful.
 */
function unionDescriptor(layout, name, fields) {
  const byKey = new Map(fields.map((field) => [field.key, field]));
  /** @type {any} */
  const descriptor = {
    ...common(
      layout,
      name,
      fields.map((field) => field.descriptor),
    ),
    fields,
    isUnion: true,
    read(view, at) {
      const start = view.byteOffset + at;
      return descriptor.live(new DataView(view.buffer.slice(start, start + layout.size)), 0);
    },
    resolve(value, owner, position) {
      checkObject(value, name, owner, position);
      const bytes = descriptor.bytesOf(value);
      if (bytes !== undefined) return bytes;
      const keys = Object.keys(value);
      const field = byKey.get(keys[0]);
      if (keys.length !== 1 || field === undefined) {
        throw makeError(
          'ERR_INVALID_ARG_VALUE',
          `${locationOf(owner, position)} must have one of the fields ${[...byKey.keys()].join(', ')} (${name}), ` +
            `received ${keys.length === 0 ? 'none' : keys.join(', ')}`,
        );
      }
      const part = { outer: position, part: field.key, type: field.type };
      const content = value[field.key];
      return { field, content: field.descriptor.resolve ? field.descriptor.resolve(content, owner, part) : content };
    },
    write(view, at, value, owner, position) {
      if (value instanceof Uint8Array) return copy(view, at, value);
      const { field, content } = value;
      const part = { outer: position, part: field.key, type: field.type };
      zero(view, at, layout.size);
      return retain(
        undefined,
        field.descriptor,
        view,
        at,
        field.descriptor.write(view, at, content, owner, part),
        owner,
        part,
      );
    },
  };
  return descriptor;
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

/** The most bytes that become values: beyond that an array of JavaScript is no longer one piece of memory. */
const MOST_BYTES = 2 ** 25;

/**
 * The descriptor of `length` values side by side. An array or a typed array of that length goes in, an array comes out.
 * `type` is how the declaration spells the type of the elements, where that is not its name.
 */
function arrayDescriptor(layout, element, length, type) {
  const name = `${type ?? element.name}[${length}]`;
  const step = element.size;
  const characters = textElements(element, type);
  const unit = element.size === 1 ? 'bytes' : 'units';
  const expected = `an array of ${length}${characters ? ` or a string of at most ${length} ${unit}` : ''} (${name})`;
  /** @type {any} */
  const descriptor = {
    ...common(layout, name, [element]),
    isArray: true,
    element,
    length,
    elementType: type,
    read(view, at) {
      if (layout.size > MOST_BYTES) {
        throw makeError(
          'ERR_OUT_OF_RANGE',
          `${name}: ${layout.size} bytes are too many for JavaScript values (at most ` +
            `${MOST_BYTES}); use its view()`,
        );
      }
      const values = new Array(length);
      let i = 0;
      try {
        for (; i < length; i += 1) values[i] = element.read(view, at + i * step);
      } catch (error) {
        throw inPart(error, i);
      }
      return values;
    },
    resolve(value, owner, position) {
      if (characters && typeof value === 'string') {
        const bytes = encodeInto(value, characters.encoding, layout.size);
        if (bytes === undefined) throw wrongText(value, expected, name, owner, position);
        return bytes;
      }
      if (typeof value !== 'object' || value === null) throw wrongType(locationOf(owner, position), expected, value);
      const bytes = descriptor.bytesOf(value);
      if (bytes !== undefined) return bytes;
      const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
      if (!isList) throw wrongType(locationOf(owner, position), expected, value);
      if (/** @type {any} */ (value).length !== length) throw wrongValue(locationOf(owner, position), expected, value);
      const values = new Array(length);
      for (let i = 0; i < length; i += 1) values[i] = value[i];
      if (element.resolve) {
        for (let i = 0; i < length; i += 1)
          values[i] = element.resolve(values[i], owner, { outer: position, part: i, type });
      }
      return values;
    },
    write(view, at, value, owner, position) {
      if (value instanceof Uint8Array) return copy(view, at, value);
      let retained;
      for (let i = 0; i < length; i += 1) {
        const part = { outer: position, part: i, type };
        const here = at + i * step;
        retained = retain(retained, element, view, here, element.write(view, here, value[i], owner, part), owner, part);
      }
      return retained;
    },
  };
  return descriptor;
}

/** The error of a text that does not fit its memory, or contains NUL. */
const wrongText = (text, expected, type, owner, position) =>
  wrongValue(
    locationOf(owner, position),
    text.includes('\0') ? `a string without NUL characters (${type})` : expected,
    text,
  );

// ---- text -----------------------------------------------------------------------------------------------------------

/** The descriptor of a text of `length` units: a string both ways. */
function textDescriptor(layout, length, encoding) {
  const name = `text(${length}${encoding === 'utf8' ? '' : `, '${encoding}'`})`;
  const expected = `a string of at most ${length} ${encoding === 'utf8' ? 'bytes' : 'units'} (${name})`;
  return {
    ...common(layout, name, []),
    isArray: true,
    read: (view, at) => decodeText(new Uint8Array(view.buffer, view.byteOffset + at, layout.size), encoding),
    write(view, at, value, owner, position) {
      if (typeof value !== 'string') throw wrongType(locationOf(owner, position), expected, value);
      const bytes = encodeInto(value, encoding, layout.size);
      if (bytes === undefined) throw wrongText(value, expected, name, owner, position);
      copy(view, at, bytes);
    },
  };
}

module.exports = { structDescriptor, unionDescriptor, arrayDescriptor, textDescriptor, retain };
