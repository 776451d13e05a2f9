/** Which addresses of a subnet EC2 gives to instances. Pure. */

/** Whether an address is one of a block such as 10.0.1.0/24, and none that EC2 keeps for itself. */
export function isAssignable(address: string, cidr: string): boolean {
  const [base = "", prefix = ""] = cidr.split("/");
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(numberOf(base) / size) * size;
  const offset = numberOf(address) - first;
  // EC2 reserves the first four addresses of a subnet and its last.
  return offset >= 4 && offset <= size - 2;
}

const numberOf = (address: string) =>
  address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
