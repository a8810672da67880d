import { windowsFiltering } from './filtering.ts'
import { wfpPlugin } from './plugin.ts'

export default wfpPlugin(windowsFiltering)
