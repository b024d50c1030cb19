/** What cannot be done for a member, in words for that member. */
export class Refusal extends Error {}
