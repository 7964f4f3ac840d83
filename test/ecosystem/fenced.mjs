// Imported into every process and worker of a suite next to the package: at the end it notes whether the fences were
// there the whole time and are whole, in the file that ECOSYSTEM_NOTES names.
import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { checkFences, fences } from '../../index.mjs';

const { installed, reason } = fences();
if (!installed) throw new Error(`this suite is to run under the fences: ${reason}`);

process.on('exit', () => {
  const broken = checkFences();
  fs.appendFileSync(process.env.ECOSYSTEM_NOTES, `${JSON.stringify({ isMainThread, broken })}\n`);
});
