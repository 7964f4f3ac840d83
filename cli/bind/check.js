'use strict';
// The function of a generated module that holds its types against the layouts of the compiler.

/**
 * Its text.
 * @param {boolean} isTyped TypeScript rather than JavaScript
 * @param {boolean} hasBits whether a type has bitfields
 */
function checkFunction(isTyped, hasBits) {
  const typed = (text) => (isTyped ? text : '');
  const bits = hasBits
    ? `
  for (const [field, [value, first, width]] of Object.entries(bits)) {
    const view = ${isTyped ? '(type as any)' : 'type'}.alloc();
    view[field] = value;
    const memory = [...toBuffer(ptr(view), 0, sizeof(type))];
    const set = memory.flatMap((byte, i) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte >> bit) & 1).map((bit) => i * 8 + bit));
    compare(\`the first bit of \${field}\`, set[0] ?? -1, first);
    compare(\`the width of \${field}\`, set.length, width);
  }`
    : '';
  return `/** Refuses to load where a type does not lie in memory as it did for the compiler that read the header. */
function check(
  type${typed(': DeclaredType')}, c${typed(': string')}, size${typed(': number')}, align${typed(': number')}, offsets${typed(': Record<string, number>')},${
    hasBits
      ? `\n  bits${typed(': Record<string, readonly [value: number | bigint | boolean, first: number, width: number]>')} = {},`
      : ''
  }
)${typed(': void')} {
  const wrong${typed(': string[]')} = [];
  const compare = (what${typed(': string')}, found${typed(': number | string')}, wanted${typed(': number | string')}) => {
    if (found !== wanted) wrong.push(\`\${what} is \${found} instead of \${wanted}\`);
  };
  compare('its size', sizeof(type), size);
  compare('its alignment', alignof(type), align);
  for (const [field, wanted] of Object.entries(offsets)) {
    compare(\`the offset of \${field}\`, offsetof(type${typed(' as never')}, field${typed(' as never')}), wanted);
  }${bits}
  if (wrong.length === 0) return;
  throw new Error(\`\${c} does not lie in memory as in the header: \${wrong.join(', ')}. Run "pinned-ffi bind" on this machine.\`);
}
`;
}

module.exports = { checkFunction };
