'use strict';
// Live views of structs and unions: a class for each type, with generated accessors.

const { atCaller, makeError } = require('../errors.js');
const { nearest } = require('../nearest.js');
const { compile } = require('../codegen/compile.js');
const { placeInexact } = require('../exact-numbers.js');
const { refusingClones } = require('../memory/uncloneable.js');
const {
  LiveView,
  DATA,
  AT,
  ADDRESS,
  DESCRIPTOR,
  copyMembers,
  bytesOf,
  readFar,
  isPlain,
  assign,
} = require('./live-view.js');

/** The place of a value that is assigned to a field, for messages. */
const positionOf = ({ key, type }) => ({ outer: `field ${key}`, part: undefined, type });

function accessorsSource(fields) {
  const text = JSON.stringify;
  const one = ({ key, offset, descriptor }, i) => {
    const at = `this[AT] + ${offset}`;
    const get = descriptor.live
      ? `return live${i}(this[DATA], ${at}, this[ADDRESS]);`
      : `const data = this[DATA]; return data === undefined ? readFar(descriptor${i}, this, ${offset}) : read${i}(data, ${at});`;
    const slow = `runtime.assign(descriptor${i}, this, ${offset}, value, runtime.name, position${i})`;
    const set = isPlain(descriptor)
      ? `const data = this[DATA]; if (data === undefined) ${slow}; else write${i}(data, ${at}, value, runtime.name, position${i});`
      : `${slow};`;
    return `get ${text(key)}() { try { ${get} } catch (error) { throw runtime.thrown(error, ${i}, 'get'); } }, set ${text(key)}(value) { try { ${set} } catch (error) { throw runtime.thrown(error, ${i}, 'set'); } },`;
  };
  const descriptors = (i) =>
    `const descriptor${i} = fields[${i}].descriptor, { read: read${i}, write: write${i}, live: live${i} } = descriptor${i};
const position${i} = runtime.positionOf(fields[${i}]);`;
  return `'use strict';
const { DATA, AT, ADDRESS, readFar } = runtime;
${fields.map((_, i) => descriptors(i)).join('\n')}
return {
  ${fields.map(one).join('\n  ')}
};`;
}

function plainAccessors(fields, runtime) {
  const accessors = {};
  for (const [i, field] of fields.entries()) {
    const { key, offset, descriptor } = field;
    const position = positionOf(field);
    Object.defineProperty(accessors, key, {
      get() {
        try {
          if (this[DATA] === undefined) return readFar(descriptor, this, offset);
          const at = this[AT] + offset;
          return descriptor.live ? descriptor.live(this[DATA], at, this[ADDRESS]) : descriptor.read(this[DATA], at);
        } catch (error) {
          throw runtime.thrown(error, i, 'get');
        }
      },
      set(value) {
        try {
          assign(descriptor, this, offset, value, runtime.name, position);
        } catch (error) {
          throw runtime.thrown(error, i, 'set');
        }
      },
      enumerable: true,
      configurable: true,
    });
  }
  return accessors;
}

// ---- misspelt fields ------------------------------------------------------------------------------------------------

/**
 * Properties that programs read of any object to learn its kind: await, JSON, util.inspect, test runners, streams, and
 * the constructors of typed arrays. None of these is a misspelt field.
 */
const ASKED = new Set(
  (
    'then catch finally toJSON inspect nodeType nodeName tagName asymmetricMatch on once off emit pipe next done return ' +
    'length size ptr byteLength byteOffset buffer message stack get set has keys values entries forEach map type ref close'
  ).split(' '),
);
const MOST_ASKED = 1000;

/** The last prototype but one of a type's views: only keys that no field and no method has arrive here. */
function strictPrototype(name, fields) {
  const keys = fields.map(({ key }) => key);
  const meantBy = new Map();
  const unknown = (key, meant) =>
    makeError(
      'ERR_INVALID_ARG_VALUE',
      `${name} has no field '${key}'${meant === undefined ? `; it has ${keys.join(', ')}` : `. Did you mean '${meant}'?`}`,
    );
  /** The field that a key resembles. A name of one or two letters resembles those of its length only. */
  const find = (key) => nearest(key, key.length > 2 ? keys : keys.filter((each) => each.length === key.length));
  const traps = {
    get(target, key, view) {
      if (typeof key !== 'string' || key in target || ASKED.has(key)) return Reflect.get(target, key, view);
      if (!meantBy.has(key)) {
        if (meantBy.size >= MOST_ASKED) return undefined;
        meantBy.set(key, find(key));
      }
      const meant = meantBy.get(key);
      if (meant !== undefined) throw atCaller(unknown(key, meant), traps.get); // node-do-not-add-exception-line
      return undefined;
    },
    set(target, key, value, view) {
      // An object that only inherits from a view gets properties as any object does.
      if (typeof key !== 'string' || key in target || !Object.hasOwn(view, DATA))
        return Reflect.set(target, key, value, view);
      throw atCaller(unknown(key, find(key)), traps.set); // node-do-not-add-exception-line
    },
  };
  return new Proxy(Object.create(LiveView.prototype), traps);
}

/** Gives a struct's or union's descriptor its live views. */
function addFieldViews(descriptor, fields) {
  const runtime = { DATA, AT, ADDRESS, readFar, assign, positionOf, name: descriptor.name };
  runtime.thrown = (error, i, kind) =>
    atCaller(
      placeInexact(error, descriptor.name, `field ${fields[i].key}`),
      Object.getOwnPropertyDescriptor(View.prototype, fields[i].key)[kind],
    );
  const accessors = compile(
    `view/${descriptor.name}`,
    'fields, runtime',
    accessorsSource(fields),
    [fields, runtime],
    () => plainAccessors(fields, runtime),
  );
  const View = refusingClones(class extends LiveView {});
  Object.defineProperty(View, 'name', { value: descriptor.name });
  Object.defineProperties(View.prototype, {
    ...Object.getOwnPropertyDescriptors(accessors),
    [DESCRIPTOR]: { value: descriptor },
    [Symbol.toStringTag]: { value: descriptor.name, configurable: true },
  });
  copyMembers(View);
  Object.setPrototypeOf(View.prototype, strictPrototype(descriptor.name, fields));
  descriptor.live = (data, at, address) => new View(data, at, address);
  descriptor.bytesOf = bytesOf(descriptor);
}

module.exports = { addFieldViews };
