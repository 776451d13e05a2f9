/** That no end-to-end test can get past the search for secrets: there is one way to a stack. */
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "..");

test("stacks of tests are made in one place, which watches them", () => {
  const programs = fs
    .readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && file !== path.join("security", "watched.test.ts"));
  const makers = programs.filter((file) =>
    /\bLocalWorkspace\b|createOrSelectStack/.test(fs.readFileSync(path.join(root, file), "utf8")),
  );
  expect(makers).toEqual([path.join("e2e", "project.ts")]);
  const project = fs.readFileSync(path.join(root, "e2e", "project.ts"), "utf8");
  expect(project.match(/return watchStack\(/g)).toHaveLength(1);
});
