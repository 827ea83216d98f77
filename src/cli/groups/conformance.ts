/** Conformance: judging vectors for programs in other languages. */
import { InvalidArgumentError, Option } from 'commander'
import type { ConformanceArgs } from '../../node/commands/conformance/types.js'
import { DiadError } from '../../substrate/errors.js'
import { type Fields, listOf, numberOf, textOf } from '../field.js'
import type { Renders } from '../render-parts.js'
import { given, type CliTools } from '../tools.js'
import { count } from '../text.js'

interface Options { against?: string, timeout?: number, answer?: true }

export function addConformanceCommands ({ command, done, path }: CliTools): void {
  command('conformance', '[FILE|DIR]', 'hold this program, or another one, against vectors of verdicts; reads standard input without FILE', 'conformance protocols/vectors/verdicts')
    .option('--against <CMD>', 'start CMD, give it each vector as a line of JSON, and compare what it answers')
    .addOption(new Option('--timeout <SECONDS>', 'how long CMD may take for one vector (default: 10)').argParser(seconds))
    .option('--answer', 'be such a CMD: answer each line that comes')
    .action((file: string | undefined, o: Options) => {
      if (o.answer === true && (file !== undefined || o.against !== undefined)) throw new DiadError('usage', '--answer reads standard input and compares nothing', 'leave the rest out')
      done('conformance', { ...given({ path: file === undefined || file === '-' ? undefined : path(file), against: o.against, timeoutSeconds: o.timeout }), answer: o.answer === true }, { input: file === undefined || file === '-' })
    })
}

function seconds (text: string): number {
  const n = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || n <= 0 || n > 86_400) throw new InvalidArgumentError('It has to be a number of seconds above 0.')
  return n
}

export const conformanceRenders: Renders<ConformanceArgs> = {
  conformance (result, style) {
    const lines: string[] = []
    for (const one of listOf(result, 'results')) {
      const agrees = one['agrees'] === true
      lines.push(`${agrees ? style.good('agrees') : style.bad('differs')}  ${textOf(one, 'name', 200)}${agrees ? style.faint(`  ${textOf(one, 'expected', 100)}`) : `\n         expected ${textOf(one, 'expected', 200)}\n         got      ${textOf(one, 'got', 200)}`}`)
    }
    return [...lines.flatMap((l) => l.split('\n')), summary(result)]
  }
}

function summary (result: Fields): string {
  const [vectors, agreed, views] = [numberOf(result, 'vectors') ?? 0, numberOf(result, 'agreed') ?? 0, numberOf(result, 'views') ?? 0]
  return `${count(vectors, 'vector')}, ${agreed} agree, ${vectors - agreed} differ; ${count(views, 'view')} compared`
}
