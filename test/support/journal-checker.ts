import { openJournal } from '../../core/journal/index.ts'

// Prints whether the chain is whole and how many events there are. Arguments: journal file.
using journal = openJournal({ file: process.argv[2] ?? '', isAlive: () => true })
process.stdout.write(JSON.stringify({ code: journal.verify() === undefined ? 'whole' : 'broken', written: journal.events().length }))
