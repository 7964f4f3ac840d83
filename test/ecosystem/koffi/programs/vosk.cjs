'use strict';
// vosk-koffi: opaque handles, Buffers, asynchronous calls.
const assert = require('node:assert/strict');
const { Model, Recognizer, setLogLevel } = require('vosk-koffi');

(async () => {
  setLogLevel(0);
  assert.equal(new Model('missing').handle, null);
  const model = new Model('/some/model');
  const recognizer = new Recognizer({ model, sampleRate: 16000 });
  recognizer.setWords(true);
  assert.equal(recognizer.acceptWaveform(Buffer.from([1, 2, 3])), false);
  assert.equal(await recognizer.acceptWaveformAsync(Buffer.from([1, 2, 3, 4, 5, 6])), true);
  assert.deepEqual(recognizer.result(), { text: '27 at 16000', words: 1 });
  const other = new Recognizer({ model, sampleRate: 8000, grammar: ['ein', 'zwei'] });
  assert.equal(other.partialResult().words, 14);
  assert.equal(recognizer.reset().finalResult().text, '0 at 16000');
  other.free();
  recognizer.free();
  model.free();
})();
