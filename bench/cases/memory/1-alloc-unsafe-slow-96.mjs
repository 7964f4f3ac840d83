export const title = '`Buffer.allocUnsafeSlow(96)`';
export const baseline = 'none';

const sink = [null];
const make = () => (count) => {
  for (let i = 0; i < count; i++) sink[0] = Buffer.allocUnsafeSlow(96);
};

const makeWide = () => (count) => {
  for (let i = 0; i < count; i++) sink[0] = Buffer.allocUnsafeSlow(320);
};

export { makeWide as wide };
export { make as none, make as off, make as fenced, make as fence128, make as fence256, make as fence4096 };
