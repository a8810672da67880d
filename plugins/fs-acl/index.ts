import { programFiles } from '../../native/index.ts'
import { realDisk } from './disk.ts'
import { aclPlugin } from './plugin.ts'

export default aclPlugin({ disk: realDisk, variables: process.env, executable: process.execPath, programs: programFiles })
