/**
 * The terminal of a person who sits at the other end of the control channel. A command that needs a passphrase in the daemon asks there: the
 * daemon's own terminal, if it has one, belongs to whoever started it.
 */
import type { Terminal } from '../keys/terminal.js'

/** `ask` shows a question over there and resolves with the line, unechoed; it rejects when nobody can answer any more. */
export function remoteTerminal (ask: (question: string) => Promise<string>): Terminal {
  let question = ''
  return {
    write: (text) => { question += text },
    listen (onBytes, onEnd) {
      // The line break behind the answer before this one is for a real terminal only.
      const text = question.trimStart()
      question = ''
      ask(text).then((line) => onBytes(Buffer.from(`${line}\n`)), () => onEnd())
      return () => { /* one answer a question */ }
    },
    close: () => { /* the channel stays */ }
  }
}
