/** What the README says that we need of IAM is what we call, no more and no less. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { actions } from "../../src/aws/client";

test("the README names exactly the calls that are made", () => {
  const readme = readFileSync(path.join(__dirname, "../../README.md"), "utf8");
  const named = [...readme.matchAll(/`ec2:(\w+)`/g)].map((match) => match[1]);
  expect(named.sort()).toEqual([...actions].sort());
});
