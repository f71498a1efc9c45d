// Two ways of equal rank to connect an account: here, with whoever sits at this screen, or by a link that the customer opens.
export const WAYS = ['here', 'link'] as const
export type Way = (typeof WAYS)[number]

// name: of the account that is to be connected again.
export type Run = { way: Way; organization?: string; name?: string }
