#!/usr/bin/env node
import '../polyfill.js'
import { openBackend } from './backend.js'
import { run } from './run.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const exit = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal (listener) {
    for (const signal of SIGNALS) process.on(signal, listener)
    return () => { for (const signal of SIGNALS) process.off(signal, listener) }
  },
  kill: (code) => process.exit(code),
  openBackend
})
// Said explicitly: a library's forgotten timer must not keep a finished command alive. Everything has been flushed.
process.exit(exit)
