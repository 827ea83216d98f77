/** Domain seal and doctor: anchoring, pinning and looking after a home. */
import { Option } from 'commander'
import type { PassphraseSource } from '../../node/keys/passphrase.js'
import { type CliTools, given, passphraseOf } from '../tools.js'

export function addSealsCommands ({ group, command, done, passphraseFile, key, peer }: CliTools): void {
  const verbs = group('domain', 'this home\'s own domain: what it is, and sealing it')

  command('show', '', 'roots, manifest, principals and seals of the own domain', 'domain show', verbs)
    .action(() => done('domain show', {}))

  command('seal', '', 'anchor every lane in a new manifest and freeze the domain root: a ZFS snapshot with a hold, else a read-only copy', 'domain seal --pin release-1', verbs)
    .option('--pin <NAME>', 'what the pin is called (default: v and the version of the manifest)')
    .option('--offline-authority', 'sign although no marker and no node says that this is the newest manifest')
    .addOption(peer())
    .addOption(key('the root_key, where it isn\'t the home\'s own'))
    .addOption(passphraseFile())
    .action((o: { pin?: string, offlineAuthority?: true, peer: string[], key?: string, passphraseFile?: string[] }) =>
      done('domain seal', given({ pin: o.pin, offlineAuthority: o.offlineAuthority === true, peers: o.peer, key: o.key }), { passphrase: passphraseOf(o.passphraseFile) }))

  command('seals', '', 'what is frozen, and where', 'domain seals', verbs)
    .action(() => done('domain seals', {}))

  command('unseal', '<NAME>', 'give a pin free; the anchors stay for ever', 'domain unseal release-1', verbs)
    .option('--destroy', 'delete the ZFS snapshot too')
    .action((name: string, o: { destroy?: true }) => done('domain unseal', { name, destroy: o.destroy === true }))

  command('doctor', '', 'look for what went wrong unnoticed: permissions, keys, store, lanes, forks, seals', 'doctor --deep')
    .addOption(new Option('--deep', 'read and hash every block'))
    .addOption(passphraseFile())
    .action((o: { deep?: true, passphraseFile?: string[] }) => {
      const passphrase: PassphraseSource = o.passphraseFile === undefined ? { kind: 'none' } : passphraseOf(o.passphraseFile)
      done('doctor', { deep: o.deep === true }, { passphrase })
    })

  command('gc', '', 'give the disk back what nothing needs: leftovers of interrupted work, and what was erased for good', 'gc --dry-run')
    .option('--replaced', 'also content that was replaced or withdrawn more records ago than its domain\'s policy keeps, where anchors settle that')
    .option('--unpublished', 'also what was only put here (`put`) and never published')
    .option('--unfollowed', 'also the content of domains that are held and not followed: unfollowed, or from a bundle')
    .option('--dry-run', 'only say what would go')
    .action((o: { replaced?: true, unpublished?: true, unfollowed?: true, dryRun?: true }) =>
      done('gc', { replaced: o.replaced === true, unpublished: o.unpublished === true, unfollowed: o.unfollowed === true, dryRun: o.dryRun === true }))
}

