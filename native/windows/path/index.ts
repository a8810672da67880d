export { canonicalPath } from './canonical.ts'
export { foldCase, isInside, samePath } from './compare.ts'
export { looksShort, nameFault } from './name.ts'
export { resolvePath } from './resolve.ts'
