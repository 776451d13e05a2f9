/** Whether a call of EC2 changes nothing, which its name says: it may be repeated without a thought. */
export const isReading = (action: string) => /^(Describe|Get)/.test(action);
