// Whatever was thrown is told in one line.

import { messageOf } from "../../src/engine/error-text";

test("an error tells its message, or else its name", () => {
  expect(messageOf(new Error("no such key pair"))).toBe("no such key pair");
  expect(messageOf(new TypeError())).toBe("TypeError");
});

test("what is no error is told as it is", () => {
  expect(messageOf("gone")).toBe("gone");
  expect(messageOf(undefined)).toBe("undefined");
});
