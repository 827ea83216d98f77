/** Rescue: a transient node that acts under a domain. */
import { DiadError } from '../../substrate/errors.js'
import { type CliTools, given, passphraseOf } from '../tools.js'

interface Start { bundle?: string, peer: string[], key: string, dir?: string, domain: string, passphraseFile?: string[] }

export function addRescueCommands ({ allowKeys, command, group, done, path, passphraseFile, key, peer }: CliTools): void {
  const rescue = group('rescue', 'act under a domain while its own node is away')

  command('start', '', 'make a transient home that acts under a domain with a key on a stick', 'rescue start --bundle /media/stick/home.car --domain dom1… --key /media/stick/rescue.key', rescue)
    .option('--bundle <FILE>', 'start from what this bundle holds; - is standard input', (text: string) => text === '-' ? text : path(text))
    .addOption(peer())
    .requiredOption('--domain <DOMAIN>', 'the whole DomainID, or its dom1… text: whom to act for')
    .addOption(key('the key that signs; it stays where it is').makeOptionMandatory())
    .option('--dir <DIR>', 'a new or an empty directory for the home (default: one in memory, if there is a memory file system)', path)
    .addOption(passphraseFile())
    .action((o: Start) => {
      if (o.bundle !== undefined && o.peer.length > 0) throw new DiadError('usage', '--bundle and --peer exclude each other', 'start from one; `diad sync` brings the rest afterwards')
      done('rescue start', { ...given({ bundle: o.bundle, key: o.key, dir: o.dir, domain: o.domain }), peers: o.peer }, { passphrase: passphraseOf(o.passphraseFile), input: o.bundle === '-' })
    })

  command('publish', '<PATH>', 'publish under the domain, with the key that `rescue start` was given', 'rescue publish ./report --as reports/today', rescue)
    .requiredOption('--as <NAME>', 'the published name, e.g. www or docs/manual')
    .addOption(allowKeys())
    .addOption(passphraseFile())
    .action((what: string, o: { as: string, allowKeys?: true, passphraseFile?: string[] }) => done('rescue publish', given({ path: path(what), as: o.as, allowKeys: o.allowKeys }), { passphrase: passphraseOf(o.passphraseFile) }))

  command('status', '', 'whom this home acts for, with which key, and what was done', 'rescue status', rescue)
    .action(() => done('rescue status', {}))

  command('end', '', 'write a bundle for the owner, then wipe this home', 'rescue end --out /media/stick/done.car', rescue)
    .requiredOption('--out <FILE>', 'where the bundle goes; not in the home itself', path)
    .option('--since <HEADS>', 'only what the owner lacks: HEADS is what its node wrote with `bundle heads`', path)
    .option('--yes', 'though decisions on other domains were made here, which the bundle doesn\'t hold')
    .action((o: { out: string, since?: string, yes?: true }) => done('rescue end', given({ out: o.out, since: o.since, yes: o.yes })))
}
