'use strict';
// Finds the command, reads its options, runs it, and turns what it throws into a message and an exit code:
// 0 done, 1 failed, 2 called in a wrong way.

const { parseArgs } = require('node:util');
const { version } = require('../package.json');

/** A row for each command. A command is loaded when it is run, so that those which need no addon work without it. */
const COMMANDS = {
  info: { summary: 'what a library exports and needs, and where it was found', load: () => require('./info.js') },
  doctor: { summary: 'what this installation is, and whether it works', load: () => require('./doctor.js') },
  bind: { summary: 'a TypeScript module from a C header', load: () => require('./bind.js') },
  build: { summary: 'compile the native addon from the source in this package', load: () => require('./build.js') },
};

const COMMON = { help: { type: 'boolean', short: 'h' } };

function help() {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return (
    `Usage: pinned-ffi COMMAND ...\n\n${lines.join('\n')}\n\n` +
    'pinned-ffi COMMAND --help says more. Options: --help, --version.\n' +
    'Exit codes: 0 done, 1 failed, 2 called in a wrong way.\n'
  );
}

const isUsage = ({ code }) => code === 'ERR_USAGE' || /^ERR_PARSE_ARGS_/.test(code ?? '');

function complain(text, exitCode) {
  process.stderr.write(`pinned-ffi: ${text}\n`);
  process.exitCode = exitCode;
}

async function runCommand(name, args) {
  const command = COMMANDS[name].load();
  try {
    /** @type {{ values: any, positionals: string[] }} */
    const { values, positionals } = parseArgs({
      args,
      options: { ...command.options, ...COMMON },
      allowPositionals: true,
    });
    if (values.help) process.stdout.write(command.help);
    else process.exitCode = await command.run(values, positionals);
  } catch (error) {
    if (isUsage(error)) return complain(`${name}: ${error.message}\n\n${command.help.trimEnd()}`, 2);
    // An error that has a code says what is wrong; any other is a fault of ours, and its stack is wanted.
    complain(`${name}: ${error.code === undefined ? error.stack : error.message}`, 1);
  }
}

/**
 * @param {string[]} args without node and the script
 */
async function main(args) {
  // The reader of the output may stop (`| head`): that is no failure.
  process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') process.stdout.write(`${version}\n`);
  else if (name === '--help' || name === '-h' || name === 'help') process.stdout.write(help());
  else if (name === undefined) complain(`a command is missing\n\n${help().trimEnd()}`, 2);
  else if (!Object.hasOwn(COMMANDS, name)) complain(`there is no command '${name}'\n\n${help().trimEnd()}`, 2);
  else await runCommand(name, rest);
}

module.exports = { main };
