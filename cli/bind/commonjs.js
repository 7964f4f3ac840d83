'use strict';
// A module of JavaScript as CommonJS.

const EXPORT = /^export const (?:(\w+)|\{([^}]*)\}) =/gm;

/** The names that a module exports. */
function exportedNames(text) {
  return [...text.matchAll(EXPORT)].flatMap(([, name, list]) =>
    name === undefined
      ? list
          .split(',')
          .map((part) => part.trim().replace(/^.*:\s*/s, ''))
          .filter((part) => part !== '')
      : [name],
  );
}

/** @param {string} text an ES module of JavaScript that the Emitter has written */
function asCommonJs(text) {
  const { wrapped } = require('./text.js');
  const body = text
    .replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = require($2);')
    .replace(/^export const /gm, 'const ')
    .replace(
      /dlopen\(new URL\(('[^']*'), import\.meta\.url\)/,
      "dlopen(new URL($1, require('node:url').pathToFileURL(__filename))",
    );
  const names = exportedNames(text).map((name) => `${name},`);
  const end = body.indexOf('\n// left out:');
  const exported = `\nmodule.exports = {\n${wrapped(names, '  ')}\n};\n`;
  const whole = end < 0 ? `${body}${exported}` : `${body.slice(0, end)}${exported}${body.slice(end)}`;
  return whole.replace(/^(\/\/.*\n)+/, (head) => `'use strict';\n${head}`);
}

module.exports = { asCommonJs };
