/** Whose credentials are used where. */
import { accessTo } from "../../src/aws/access";

const region = "us-east-1";

test.each(["http://127.0.0.1:4599", "http://localhost:4599", "http://[::1]:4599"])(
  "%s is loopback and needs no credentials of AWS",
  (endpoint) => {
    expect(accessTo({ region, endpoint }, {}).credentials).toBeDefined();
  },
);

test("anything but loopback gets only what AWS's own chain finds", () => {
  for (const endpoint of [undefined, "https://ec2.example.com", "http://127.0.0.1.example.com"]) {
    expect(accessTo({ region, endpoint }, {}).credentials).toBeUndefined();
  }
});

test.each([{ AWS_ACCESS_KEY_ID: "AKIA" }, { AWS_PROFILE: "ops" }])(
  "credentials that are set go before stand-ins, on loopback, too: %j",
  (environment) => {
    const options = accessTo({ region, endpoint: "http://localhost:1" }, environment);
    expect(options.credentials).toBeUndefined();
  },
);
