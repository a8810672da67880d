/** The local group of the accounts that agents run under, where the machine was set up for them. */
export const agentsGroup = 'BulkheadAgents'
