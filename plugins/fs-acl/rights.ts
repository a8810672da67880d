/** File access rights (winnt.h; “File Access Rights Constants”). */
export const right = {
  /** Everything: for the user, the system and administrators. */
  all: 0x1f01ff,
  /** READ_CONTROL, SYNCHRONIZE, FILE_READ_DATA, FILE_READ_EA, FILE_EXECUTE, FILE_READ_ATTRIBUTES. */
  read: 0x1200a9,
  /**
   * What `read` has, and DELETE, FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_WRITE_EA, FILE_WRITE_ATTRIBUTES. Without FILE_DELETE_CHILD, so that
   * a child can be protected from whoever may change its directory; and without WRITE_DAC and WRITE_OWNER.
   */
  modify: 0x1301bf,
  /** The same for a directory that must stay where it is: without DELETE, which renaming takes too. */
  modifyInside: 0x1201bf,
  /** What changes an object or its protection: DELETE, WRITE_DAC, WRITE_OWNER, and what `modify` has beyond `read`. */
  change: 0xd0156,
  /** SYNCHRONIZE, FILE_READ_ATTRIBUTES, FILE_TRAVERSE: enough to look up what lies below, and to see nothing of it. */
  pass: 0x1000a0,
  list: 0x1,
  readAttributes: 0x80,
} as const
