// A Rust library of one's own (a cdylib), from its source to the call: texts, and a result that Rust has to free.
//
//   rustc from https://rustup.rs
//   node examples/own-rust.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dlopen, suffix } from 'pinned-ffi';

const folder = mkdtempSync(join(tmpdir(), 'own-rust-'));
const file = join(folder, `words.${suffix}`);
const source = fileURLToPath(new URL('own/words.rs', import.meta.url));
const options = ['--edition', '2024', '--crate-type', 'cdylib', '-O', '-o', file, source];
execFileSync(process.env.RUSTC ?? 'rustc', options, { stdio: 'inherit' });

const library = dlopen(file, {
  count_words: { args: ['cstring'], returns: 'u32' },
  // The text is copied, and given back to Rust at once.
  shout: { args: ['cstring'], returns: { type: 'cstring', free: 'free_text' } },
});
const { count_words, shout } = library.symbols;

assert.equal(count_words('three small words'), 3);
assert.equal(shout('Grüße aus Rust'), 'GRÜSSE AUS RUST');
assert.equal(shout(null), null);
console.log(shout('hello from Rust'));

library.close();
rmSync(folder, { recursive: true });
