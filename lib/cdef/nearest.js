'use strict';
// The type name of C text that was probably meant.

const among = require('../nearest.js');
const { KNOWN } = require('./names.js');

const WORDS = ['int', 'char', 'short', 'long', 'float', 'double', 'unsigned', 'void', 'bool', 'FILE', 'DIR'];

/**
 * The known type name that differs least from `name`; undefined where none is near.
 * @param {string} name
 * @param {string[]} declared the names of the text
 */
const nearest = (name, declared) => among.nearest(name, [...declared, ...KNOWN.keys(), ...WORDS]);

module.exports = { nearest };
