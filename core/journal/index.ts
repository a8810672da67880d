export { openJournal, type JournalOptions } from './journal.ts'
