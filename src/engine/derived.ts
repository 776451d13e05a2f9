/**
 * A pure function of an object that nobody changes, computed once for each object: the same spec is
 * asked about at every decision, and whoever keeps EC2's answers looks at the same ones again.
 */
export function derived<From extends object, To>(compute: (from: From) => To): (from: From) => To {
  const known = new WeakMap<From, { value: To }>();
  return (from) => {
    const found = known.get(from);
    if (found !== undefined) return found.value;
    const value = compute(from);
    known.set(from, { value });
    return value;
  };
}
