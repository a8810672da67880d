export { openJournal } from './journal.ts'
