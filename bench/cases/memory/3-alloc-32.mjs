export const title = '`Buffer.alloc(32)`';
export const baseline = 'none';

const sink = [null];
const make = () => (count) => {
  for (let i = 0; i < count; i++) sink[0] = Buffer.alloc(32);
};

export { make as none, make as off, make as fenced, make as fence128, make as fence256, make as fence4096 };
