/** Asks for a secret on the terminal, without echo. It talks to the terminal itself, so a pipe on stdin or stdout doesn't get in its way. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { DiadError } from '../../substrate/errors.js'

/** A terminal as `createPrompt` needs it. */
export interface Terminal {
  write: (text: string) => void
  /** Starts handing over bytes as they are typed, unechoed and with no line editing; the returned function stops that. */
  listen: (onBytes: (bytes: Uint8Array) => void, onEnd: () => void) => () => void
  close: () => void
}

export interface Prompt {
  /** One line. Throws DiadError `cancelled` on Ctrl-C, Ctrl-D and a terminal that goes away. */
  ask: (question: string) => Promise<string>
  close: () => void
}

/** The longest line taken, in bytes: no passphrase is longer, and something that types for ever is stopped. */
const MAX_LINE_BYTES = 4096

/** The terminal that this process belongs to. Throws DiadError `passphrase-needed` when it has none. */
export function openTerminal (): Terminal {
  let input: ReadStream
  let output: number
  try {
    output = openSync('/dev/tty', 'w')
    input = new ReadStream(openSync('/dev/tty', 'r'))
  } catch (err) {
    throw new DiadError('passphrase-needed', 'a passphrase is needed and there is no terminal to ask on',
      'put it on the first line of a file that only you can read, and name that with --passphrase-file', { cause: err })
  }
  return {
    write: (text) => void writeSync(output, text),
    listen (onBytes, onEnd) {
      input.setRawMode(true)
      input.on('data', onBytes).on('end', onEnd).on('error', onEnd)
      input.resume()
      return () => {
        input.pause()
        input.off('data', onBytes).off('end', onEnd).off('error', onEnd)
        input.setRawMode(false)
      }
    },
    close () {
      input.destroy()
      closeSync(output)
    }
  }
}

export function createPrompt (terminal: Terminal): Prompt {
  // What was typed or pasted behind the end of a line belongs to the next question.
  let ahead: number[] = []

  const ask = (question: string): Promise<string> => new Promise((resolve, reject) => {
    const line: number[] = []
    let done = false
    terminal.write(question)

    const finish = (result: string | DiadError): void => {
      done = true
      stop()
      terminal.write('\r\n')
      if (typeof result === 'string') resolve(result)
      else reject(result)
    }
    const take = (bytes: Uint8Array | number[]): void => {
      for (let i = 0; i < bytes.length; i++) {
        if (done) {
          ahead.push(bytes[i]!)
          continue
        }
        const edit = editLine(line, bytes[i]!)
        if (edit === 'end') finish(Buffer.from(line).toString('utf8'))
        if (edit === 'cancel') finish(cancelled())
      }
    }
    const stop = terminal.listen(take, () => { if (!done) finish(cancelled()) })
    const typed = ahead
    ahead = []
    take(typed)
  })
  return { ask, close: () => terminal.close() }
}

function cancelled (): DiadError {
  return new DiadError('cancelled', 'no passphrase was given', 'run the command again')
}

/** What a terminal driver would do with one byte, had it not been asked to stay out of the way. */
function editLine (line: number[], byte: number): 'more' | 'end' | 'cancel' {
  switch (byte) {
    case 0x0a: case 0x0d: // Enter
      return 'end'
    case 0x03: // Ctrl-C
      return 'cancel'
    case 0x04: // Ctrl-D
      return line.length === 0 ? 'cancel' : 'end'
    case 0x08: case 0x7f: { // backspace: one character, all bytes of it
      let removed = line.pop()
      while (removed !== undefined && (removed & 0xc0) === 0x80) removed = line.pop()
      return 'more'
    }
    case 0x15: // Ctrl-U
      line.length = 0
      return 'more'
    default:
      if (line.length >= MAX_LINE_BYTES) return 'cancel'
      line.push(byte)
      return 'more'
  }
}
