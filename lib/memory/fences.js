'use strict';
// Installs the allocator with fences when this file is loaded; fences() and checkFences().

const { Buffer } = require('node:buffer');
const binding = require('../native/binding.js');
const { publishBreach, publishFailure } = require('../native/channels.js');
const { unverified } = require('../native/runtime.js');
const { makeWarning } = require('../errors.js');
const config = require('../native/config.js');
const { notePool } = require('./array-buffer.js');

/** Why the allocator with fences is not installed; undefined where it is. */
function install() {
  if (config.fence.off) return 'PINNED_FFI_FENCE=off';
  const reason = unverified ?? binding.installFences() ?? undefined;
  const [first] = binding.copies();
  if (reason === undefined || first === undefined || first.build === binding.buildName()) return reason;
  return `another build of pinned-ffi came first: ${first.build}, ${first.file}`;
}

function boundQuarantine() {
  /** @type {{ bytes?: number, count?: number }} */
  const { bytes, count } = config.quarantine ?? {};
  if (bytes !== undefined) binding.setQuarantine(bytes, count ?? binding.quarantineState()[1]);
}

/** Fills the slab that was made before the fences came, so that the next slice is of a fenced one. */
function renewPool() {
  const { buffer } = Buffer.allocUnsafe(1);
  const step = (Buffer.poolSize >>> 1) - 1;
  for (let i = 0; i < 4 && step > 0 && Buffer.allocUnsafe(step).buffer === buffer; i += 1);
}

// The guard wants a fence around every Buffer, which slices of the pool cannot have.
if (config.guard) Buffer.poolSize = 0;

boundQuarantine();
const reason = install();
/** Whether the memory of every ArrayBuffer that the engine allocates from now on has fences. */
const isInstalled = reason === undefined;
renewPool();
notePool();

/** The state of the fences: their widths, or the reason why there are none. */
function fences() {
  const [before, after] = binding.fenceWidths();
  const [bytes, count, heldBytes, heldCount] = binding.quarantineState();
  return {
    installed: isInstalled,
    ...(reason === undefined ? {} : { reason }),
    before,
    after,
    quarantine: { bytes, count, heldBytes, heldCount },
  };
}

const WHEN = {
  freed: 'when its memory was freed',
  quarantine: 'after its memory was freed, in quarantine',
  checked: 'by checkFences()',
};

/** Emits a process warning for every breach that was found too late for an exception. */
function warnOfReports() {
  for (const report of binding.takeReports()) {
    const { found, byteLength, firstBadOffset, bytesPast, before, exposedTo } = report;
    const late = found === 'quarantine' && firstBadOffset >= 0 && firstBadOffset < byteLength;
    const place = late
      ? `into a Buffer of ${byteLength} bytes that was collected already`
      : `${before ? 'before the start' : 'past the end'} of a Buffer of ${byteLength} bytes`;
    const received =
      exposedTo === undefined
        ? 'no function of the package received its address'
        : `its address was last passed to ${exposedTo}`;
    const warning = makeWarning(
      `native code wrote ${bytesPast} byte${bytesPast === 1 ? '' : 's'} ${place} (first bad offset ${firstBadOffset}); found ` +
        `${WHEN[found]}; ${received}. No other memory was affected.`,
      {
        code: before ? 'ERR_FFI_BUFFER_UNDERFLOW' : 'ERR_FFI_BUFFER_OVERFLOW',
        found,
        byteLength,
        firstBadOffset,
        bytesPast,
        symbol: exposedTo ?? null,
      },
    );
    publishBreach(found, warning);
    process.emitWarning(warning);
  }
}
binding.onReport(warnOfReports);
binding.onFailure(publishFailure);

/**
 * Checks every fence of the process to its full width, and the quarantine. Emits a warning for each breach.
 * @returns {number} the number of breaches
 */
function checkFences() {
  const broken = binding.checkFences();
  warnOfReports();
  return broken;
}

module.exports = { fences, checkFences, isInstalled, renewPool };
