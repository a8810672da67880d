import { linux } from './linux/index.ts'
import type { Platform } from './platform.ts'
import { windows } from './windows/index.ts'

/** The system that this process runs on. Every other one is served as Linux is, and refuses when its module is missing. */
export const platform: Platform = process.platform === 'win32' ? windows : linux
