#!/usr/bin/env node
// SPDX-License-Identifier: MIT OR Apache-2.0
// npm's solc behind the two options of the native compiler that forge and chain/solc.py use: --version, --standard-json.
"use strict";
const fs = require("fs");
const solc = require("solc");

// console.log may truncate on a pipe when the process exits: write until everything is gone.
function write(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

const options = process.argv.slice(2);
if (options.includes("--version")) {
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (options.includes("--standard-json")) {
  write(solc.compile(fs.readFileSync(0, "utf8")));
} else {
  process.stderr.write("usage: solc.js --version | --standard-json < input.json\n");
  process.exitCode = 2;
}
