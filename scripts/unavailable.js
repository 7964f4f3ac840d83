'use strict';

/** A tool, a package or a download is not to be had here. Nothing is wrong with what is tested. */
class Unavailable extends Error {}

module.exports = { Unavailable };
