#!/usr/bin/env node
'use strict';
// The command line: npx pinned-ffi COMMAND ... A command is a file of cli/ that gives { summary, usage, run(args) }.

const COMMANDS = ['build'];

const load = (name) => require(`../cli/${name}.js`);

function help() {
  const width = Math.max(...COMMANDS.map((name) => name.length));
  const lines = COMMANDS.map((name) => `  ${name.padEnd(width)}  ${load(name).summary}`);
  return ['Usage: pinned-ffi COMMAND [...]', '', ...lines, '', '"pinned-ffi COMMAND --help" says more.'].join('\n');
}

async function main([name, ...args]) {
  if (name === undefined || ['help', '--help', '-h'].includes(name)) return console.log(help());
  if (!COMMANDS.includes(name)) {
    console.error(`pinned-ffi: there is no command '${name}'.\n\n${help()}`);
    return (process.exitCode = 2);
  }
  const command = load(name);
  if (args.includes('--help') || args.includes('-h')) return console.log(command.usage);
  return command.run(args);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`pinned-ffi: ${error.message}`);
  process.exitCode = 1;
});
