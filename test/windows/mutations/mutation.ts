/** One enforcement step that is taken out of the product, and the cases (`<group>/<file>`) of which at least one must fail then. */
export interface Mutation {
  readonly id: string
  /** Below the repository’s root. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly from: string
  readonly to: string
  readonly cases: string
}
