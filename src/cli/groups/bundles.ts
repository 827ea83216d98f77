/** Bundle: a domain's state as one file. */
import { DiadError } from '../../substrate/errors.js'
import { type CliTools, given } from '../tools.js'

export function addBundlesCommands ({ program, command, group, done, path }: CliTools): void {
  const bundle = group('bundle', 'a domain\'s state as one CAR file: to carry, to keep, to hand on')
  const file = (text: string): string => text === '-' ? text : path(text)
  // What goes to standard output is the file; a line of JSON behind it would spoil it.
  const target = (text: string): string => {
    if (text === '-' && program.opts<{ json?: true }>().json === true) throw new DiadError('usage', '--json and - exclude each other: the file itself goes to standard output', 'name a file, or leave --json out')
    return file(text)
  }

  command('export', '<DOMAIN> <FILE>', 'write what a domain exports to FILE; - is standard output', 'bundle export alice /media/stick/alice.car', bundle)
    .option('--since <HEADS>', 'only what a receiver lacks: HEADS is what it wrote with `bundle heads`; - is standard input', file)
    .option('--prefix <NAME...>', 'content of these names only; records are never left out')
    .option('--all', 'of a domain of this home: records that nobody vouched for yet, too')
    .option('--internal', 'of a domain of this home, for its other machines alone: what was decided on other domains, too')
    .option('--restricted', 'though the domain is somebody else\'s, who shows it to few')
    .action((name: string, to: string, o: { since?: string, prefix?: string[], all?: true, internal?: true, restricted?: true }) =>
      done('bundle export', { ...given({ domain: name, file: target(to), since: o.since, internal: o.internal }), prefixes: o.prefix ?? [], all: o.all === true, restricted: o.restricted === true }, { input: o.since === '-' }))

  command('import', '<FILE>', 'judge a bundle and take it in, all of it or nothing; - is standard input', 'bundle import /media/stick/alice.car --follow', bundle)
    .option('--domain <DOMAIN>', 'the domain that it has to be about')
    .option('--follow', 'follow the domain from now on')
    .option('--name <PETNAME>', 'local petname of the domain')
    .action((from: string, o: { domain?: string, follow?: true, name?: string }) =>
      done('bundle import', { ...given({ file: file(from), domain: o.domain, name: o.name }), follow: o.follow === true }, { input: from === '-' }))

  command('inspect', '<FILE>', 'what a bundle holds, judged from the file alone; needs no home', 'bundle inspect alice.car', bundle)
    .action((from: string) => done('bundle inspect', { file: file(from) }, { input: from === '-' }))

  command('heads', '<DOMAIN> <FILE>', 'write what is held of a domain, for a bundle that brings the rest', 'bundle heads alice heads.json', bundle)
    .action((name: string, to: string) => done('bundle heads', { domain: name, file: target(to) }))
}
