// pinned-ffi/koffi: the package with koffi's interface, for the cases that koffi's documents have.
import koffi from '../../koffi.js';

export { koffi };
