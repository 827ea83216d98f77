/** Admit: which other domains enter our view. */
import { Option } from 'commander'
import { DiadError } from '../../substrate/errors.js'
import { type CliTools, given, passphraseOf, seconds } from '../tools.js'

const collect = (text: string, before: string[]): string[] => [...before, text]

interface RequestOptions { to: string, scope: string[], peer: string[], timeout?: number, nonce?: string, out?: string, key?: string, passphraseFile?: string[] }

export function addAdmissionCommands ({ group, command, done, path, key, passphraseFile, peer }: CliTools): void {
  const verbs = group('admit', 'admission of other domains to this one\'s view of the federation')
  const out = (): Option => new Option('--out <FILE>', 'the file to write; must not exist').argParser(path)
  const scope = (what: string): Option => new Option('--scope <PREFIX>', what).argParser(collect).default([], 'none').makeOptionMandatory()

  command('nonce', '', 'hand out a nonce: whoever wants to be admitted makes a request with it', 'admit nonce --out nonce.json', verbs)
    .addOption(out().makeOptionMandatory())
    .action((o: { out: string }) => done('admit nonce', { out: o.out }))

  command('request', '', 'ask another domain to admit this one: over the network, or as a file', 'admit request --to bob --peer /ip4/192.0.2.1/tcp/4001 --scope docs', verbs)
    .requiredOption('--to <DOMAIN>', 'who decides')
    .addOption(scope('names that shall enter its view; / for the whole domain; may be repeated'))
    .addOption(peer())
    .option('--timeout <SECONDS>', 'give up after so long without an answer', seconds)
    .addOption(new Option('--nonce <FILE>', 'by file: what the receiver handed out').argParser(path))
    .addOption(out())
    .addOption(key('the root_key, where it isn\'t the home\'s own'))
    .addOption(passphraseFile())
    .action((o: RequestOptions) => {
      const byFile = o.nonce !== undefined || o.out !== undefined
      if (byFile && (o.nonce === undefined || o.out === undefined)) throw new DiadError('usage', '--nonce and --out go together', 'give both to make a request as a file, or none to ask over the network')
      if (byFile && (o.peer.length > 0 || o.timeout !== undefined)) throw new DiadError('usage', '--nonce and --out exclude --peer and --timeout', 'give the first two to make a request as a file, or none of them to ask over the network')
      done('admit request', given({ to: o.to, scope: needScope(o.scope), nonce: o.nonce, out: o.out, key: o.key, peers: o.peer, timeoutSeconds: o.timeout }), { passphrase: passphraseOf(o.passphraseFile) })
    })

  const target = (text: string): { target: string, file: boolean } => {
    // Whatever else it is called, a request can be named with ./ in front.
    const file = text.includes('/') || text.endsWith('.json')
    return { target: file ? path(text) : text, file }
  }
  command('review', '[FILE|REQUEST|DOMAIN]', 'judge a request before anything is decided; alone: list those that wait', 'admit review request.json', verbs)
    .action((text: string | undefined) => done('admit review', text === undefined ? { file: false } : target(text)))

  const whom = '<FILE|REQUEST|DOMAIN>'
  command('accept', whom, 'admit all that was asked for', 'admit accept ./request.json', verbs)
    .addOption(passphraseFile())
    .action((text: string, o: { passphraseFile?: string[] }) => done('admit accept', target(text), { passphrase: passphraseOf(o.passphraseFile) }))
  command('limit', whom, 'admit a part of what was asked for', 'admit limit ./request.json --scope docs/public', verbs)
    .addOption(scope('names that enter our view; may be repeated'))
    .addOption(passphraseFile())
    .action((text: string, o: { scope: string[], passphraseFile?: string[] }) => done('admit limit', { ...target(text), scope: needScope(o.scope) }, { passphrase: passphraseOf(o.passphraseFile) }))
  command('defer', whom, 'decide later: until then nothing is admitted', 'admit defer ./request.json', verbs)
    .addOption(passphraseFile())
    .action((text: string, o: { passphraseFile?: string[] }) => done('admit defer', target(text), { passphrase: passphraseOf(o.passphraseFile) }))
  command('reject', whom, 'admit nothing; with a domain, withdraw what was admitted', 'admit reject bob', verbs)
    .addOption(passphraseFile())
    .action((text: string, o: { passphraseFile?: string[] }) => done('admit reject', target(text), { passphrase: passphraseOf(o.passphraseFile) }))

  command('list', '', 'what was decided, and how much of each domain enters our view', 'admit list', verbs)
    .action(() => done('admit list', {}))

  command('view', '', 'our view of the federation: our own names and those of admitted domains', 'view')
    .action(() => done('view', {}))
}

function needScope (scope: string[]): string[] {
  if (scope.length === 0) throw new DiadError('usage', 'no --scope given', 'name the prefixes of names, or / for the whole domain')
  return scope
}

