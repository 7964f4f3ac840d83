// The types of index.mjs: the names of index.d.ts, and all of them as the default export.

export * from './index.js';

declare const ffi: typeof import('./index.js');
export default ffi;
