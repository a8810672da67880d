import { launchCases } from './launch.cases.ts'

launchCases()
